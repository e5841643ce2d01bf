// The floor: the least that an echo of WebSocket frames costs on this machine, at every size. One thread, epoll; each read
// is unmasked where it lies, and is sent on at once: no long message is kept until it is whole, so that its bytes are still
// in the cache when the system takes them. Nothing is checked. It serves a load client that behaves, and nobody else. What
// its figures depend on can be set, and was swept; the defaults are the best of it:
//   FLOOR_READ    bytes of a read at most. More leave the second cache, fewer are more calls.
//   FLOOR_OFFSET  where a read begins within its page: some processors copy slowly between places of the same offset.
//   FLOOR_KEEP    bytes of the longest message that is kept until it is whole: one call more costs it more than the cache.
//   FLOOR_WAIT    bytes of a long message that must be there before the server is woken for them (SO_RCVLOWAT).
// usage: floor PORT
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PAGE = 4096, LONGEST_HEADER = 14 };

static size_t read_size = 512 * 1024, page_offset = 2048, keep_size = 128 * 1024, wait_size = 128 * 1024;

// What a connection keeps between reads.
typedef struct {
  int fd, upgraded;
  size_t left;        // bytes of the payload under way that are still to come
  uint32_t key;       // its masking key, whose first byte belongs to the next byte of it
  uint8_t *whole;     // a frame that is not sent on before it is whole, or a part of a header; made when it is needed
  size_t kept, need;  // its bytes that are there, and all of them; 0 while its header is not whole
  size_t wait;        // what SO_RCVLOWAT is
  uint8_t *out;       // answers that the socket has not taken; nothing is read meanwhile
  size_t out_have, out_sent;
} Connection;

static int epoll;
static uint8_t *buffer; // where every read lands: LONGEST_HEADER bytes after a place in a page, for a header that was kept

static void watch(Connection *c, int operation, uint32_t events) {
  struct epoll_event event = {.events = events, .data.ptr = c};
  epoll_ctl(epoll, operation, c->fd, &event);
}

static void drop(Connection *c) {
  close(c->fd);
  free(c->whole);
  free(c->out);
  free(c);
}

// XORs with the key, whose first byte belongs to p[0]; returns the key for what comes next.
static uint32_t unmask(uint8_t *p, size_t length, uint32_t key) {
  uint64_t wide = (uint64_t)key << 32 | key;
  size_t i = 0;
  for (; i + 8 <= length; i += 8) {
    uint64_t word;
    memcpy(&word, p + i, 8);
    word ^= wide;
    memcpy(p + i, &word, 8);
  }
  for (; i < length; i++) p[i] ^= (uint8_t)(key >> (8 * (i & 3)));
  unsigned bits = 8 * (length & 3);
  return bits ? key >> bits | key << (32 - bits) : key;
}

// Sends, and keeps what the socket does not take. Returns 0 if the peer is gone.
static int answer(Connection *c, const uint8_t *p, size_t length) {
  while (length) {
    ssize_t n = send(c->fd, p, length, MSG_NOSIGNAL);
    if (n < 0 && errno != EAGAIN) return 0;
    if (n < 0) break;
    p += n;
    length -= n;
  }
  if (!length) return 1;
  c->out = malloc(length);
  memcpy(c->out, p, length);
  c->out_have = length;
  c->out_sent = 0;
  watch(c, EPOLL_CTL_MOD, EPOLLOUT);
  return 1;
}

static int drain(Connection *c) {
  while (c->out_sent < c->out_have) {
    ssize_t n = send(c->fd, c->out + c->out_sent, c->out_have - c->out_sent, MSG_NOSIGNAL);
    if (n < 0) return errno == EAGAIN;
    c->out_sent += n;
  }
  free(c->out);
  c->out = NULL;
  watch(c, EPOLL_CTL_MOD, EPOLLIN);
  return 1;
}

// Header bytes without the key, and the payload length; 0 while they are not all there.
static size_t header(const uint8_t *p, size_t have, size_t *length) {
  if (have < 2) return 0;
  size_t size = (p[1] & 127) < 126 ? 2 : (p[1] & 127) == 126 ? 4 : 10;
  if (have < size + 4) return 0;
  *length = p[1] & 127;
  if (size > 2) *length = 0;
  for (size_t i = 2; i < size; i++) *length = *length << 8 | p[i];
  return size;
}

static uint8_t *kept_bytes(Connection *c) {
  if (!c->whole) c->whole = aligned_alloc(PAGE, (page_offset + keep_size + LONGEST_HEADER + PAGE) / PAGE * PAGE);
  return c->whole + page_offset;
}

// Answers what has come, but for a frame that is kept until more of it is there. The first header moves up over its key, and
// what comes after a later one moves down over it, so that one send takes everything.
static int echo(Connection *c, uint8_t *p, size_t have) {
  size_t at = have < c->left ? have : c->left, from = 0, to = at, length, size;
  c->key = unmask(p, at, c->key);
  c->left -= at;
  c->need = 0;
  while ((size = header(p + at, have - at, &length))) {
    size_t whole = size + 4 + length;
    if (whole > have - at && whole <= keep_size) {
      c->need = whole;
      break;
    }
    memcpy(&c->key, p + at + size, 4);
    size_t here = have - at - size - 4 < length ? have - at - size - 4 : length;
    c->key = unmask(p + at + size + 4, here, c->key);
    c->left = length - here;
    p[at + 1] &= 127;
    if (at == 0) memmove(p + 4, p, size), from = 4, to = 4 + size + here;
    else memmove(p + to, p + at, size), memmove(p + to + size, p + at + size + 4, here), to += size + here;
    at += size + 4 + here;
  }
  c->kept = have - at;
  if (c->kept) memmove(kept_bytes(c), p + at, c->kept);
  return to == from || answer(c, p + from, to - from);
}

static void upgrade_answer(const uint8_t *request, size_t length, char response[256], size_t *size);

static int receive(Connection *c) {
  uint8_t *target = c->need ? kept_bytes(c) + c->kept : buffer, *start = target - c->kept;
  ssize_t n = recv(c->fd, target, c->need ? c->need - c->kept : read_size, 0);
  if (n < 0) return errno == EAGAIN;
  if (n == 0) return 0;
  if (!c->upgraded) {
    char response[256];
    size_t size = 0;
    upgrade_answer(buffer, n, response, &size);
    c->upgraded = 1;
    return size && answer(c, (uint8_t *)response, size);
  }
  if (c->kept && !c->need) memcpy(start, kept_bytes(c), c->kept);
  if (!echo(c, start, c->kept + n)) return 0;
  size_t wait = c->left < wait_size ? c->left : wait_size;
  int value = wait > 1 ? wait : 1;
  if (c->wait != (size_t)value && (c->wait > 1 || value > 1)) setsockopt(c->fd, SOL_SOCKET, SO_RCVLOWAT, &value, sizeof value);
  c->wait = value;
  return 1;
}

static size_t setting(const char *name, size_t usual) {
  const char *text = getenv(name);
  return text ? strtoul(text, NULL, 10) : usual;
}

static int listening(int port) {
  int listener = socket(AF_INET, SOCK_STREAM, 0), on = 1;
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  return bind(listener, (void *)&address, sizeof address) || listen(listener, 4096) ? -1 : listener;
}

static void accept_one(int listener) {
  int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK), on = 1;
  if (fd < 0) return;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  Connection *c = calloc(1, sizeof *c);
  c->fd = fd;
  watch(c, EPOLL_CTL_ADD, EPOLLIN);
}

int main(int argc, char **argv) {
  struct rlimit files;
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  read_size = setting("FLOOR_READ", read_size);
  page_offset = setting("FLOOR_OFFSET", page_offset);
  keep_size = setting("FLOOR_KEEP", keep_size);
  wait_size = setting("FLOOR_WAIT", wait_size);
  int listener = listening(argc > 1 ? atoi(argv[1]) : 0);
  if (listener < 0) return perror("floor"), 1;
  epoll = epoll_create1(0);
  buffer = (uint8_t *)aligned_alloc(PAGE, 3 * PAGE + (read_size + PAGE - 1) / PAGE * PAGE) + PAGE + page_offset;
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL}, events[1024];
  epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event);
  puts("listening");
  fflush(stdout);
  for (;;) {
    int count = epoll_wait(epoll, events, 1024, -1);
    for (int i = 0; i < count; i++) {
      Connection *c = events[i].data.ptr;
      if (!c) {
        accept_one(listener);
        continue;
      }
      int alive = 1;
      if (events[i].events & EPOLLOUT) alive = drain(c);
      if (alive && !c->out && events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) alive = receive(c);
      if (!alive) drop(c);
    }
  }
}

// Sec-WebSocket-Accept: base64 of the SHA-1 of the key and the protocol's constant (RFC 6455, section 4.2.2).
static uint32_t left(uint32_t x, int n) { return x << n | x >> (32 - n); }

static void sha1_block(uint32_t h[5], const uint8_t *block) {
  uint32_t w[80], a = h[0], b = h[1], c = h[2], d = h[3], e = h[4];
  for (int i = 0; i < 16; i++) w[i] = (uint32_t)block[4 * i] << 24 | block[4 * i + 1] << 16 | block[4 * i + 2] << 8 | block[4 * i + 3];
  for (int i = 16; i < 80; i++) w[i] = left(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
  for (int i = 0; i < 80; i++) {
    uint32_t f = i < 20 ? (b & c) | (~b & d) : i < 40 ? b ^ c ^ d : i < 60 ? (b & c) | (b & d) | (c & d) : b ^ c ^ d;
    uint32_t k = i < 20 ? 0x5a827999 : i < 40 ? 0x6ed9eba1 : i < 60 ? 0x8f1bbcdc : 0xca62c1d6;
    uint32_t t = left(a, 5) + f + e + k + w[i];
    e = d, d = c, c = left(b, 30), b = a, a = t;
  }
  h[0] += a, h[1] += b, h[2] += c, h[3] += d, h[4] += e;
}

static void accept_key(const char *key, char *accept) {
  uint8_t text[128] = {0}, digest[21] = {0};
  memcpy(text, key, 24);
  memcpy(text + 24, "258EAFA5-E914-47DA-95CA-C5AB0DC85B11", 36);
  text[60] = 0x80;
  text[126] = 60 * 8 >> 8, text[127] = 60 * 8 & 255;
  uint32_t h[5] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
  sha1_block(h, text), sha1_block(h, text + 64);
  for (int i = 0; i < 20; i++) digest[i] = h[i / 4] >> (24 - 8 * (i % 4));
  static const char base64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (int i = 0; i < 27; i++) {
    int bit = 6 * i, byte = bit / 8, shift = 10 - bit % 8;
    accept[i] = base64[((digest[byte] << 8 | digest[byte + 1]) >> shift) & 63];
  }
  accept[27] = '=';
}

static void upgrade_answer(const uint8_t *request, size_t length, char response[256], size_t *size) {
  static const char ok[] = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                           "Sec-WebSocket-Accept: ";
  const char *key = memmem(request, length, "Sec-WebSocket-Key: ", 19);
  if (!key) return;
  size_t head = sizeof ok - 1;
  memcpy(response, ok, head);
  accept_key(key + 19, response + head);
  memcpy(response + head + 28, "\r\n\r\n", 4);
  *size = head + 32;
}
