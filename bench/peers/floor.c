// The floor: what an echo of WebSocket frames costs when nothing is checked and nothing is kept. One thread, epoll,
// one receive and one send for what came; frames are unmasked where they lie and move down over their masking keys.
// It stands for the limit of the machine in the tables. It serves a load client that behaves, and nobody else.
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

enum { READ_SIZE = 512 * 1024 };

// What a connection keeps between reads: bytes to parse, and answers that the socket has not taken.
typedef struct {
  int fd;
  int upgraded;
  uint8_t *bytes;     // received, not yet answered: at most a frame, and one read
  size_t have, room;
  size_t unmasked;    // of the first frame's payload, how much is unmasked already
  uint8_t *out;       // answers waiting for the socket
  size_t out_have, out_sent, out_room;
} Connection;

static int epoll;
static uint8_t *shared; // where reads land while a connection keeps nothing

static void watch(Connection *c, int operation, uint32_t events) {
  struct epoll_event event = {.events = events, .data.ptr = c};
  epoll_ctl(epoll, operation, c ? c->fd : -1, &event);
}

static void drop(Connection *c) {
  close(c->fd);
  free(c->bytes);
  free(c->out);
  free(c);
}

// XORs with the key, whose first byte belongs to p[0].
static void unmask(uint8_t *p, size_t length, uint32_t key) {
  uint64_t wide = (uint64_t)key << 32 | key;
  size_t i = 0;
  for (; i + 8 <= length; i += 8) {
    uint64_t word;
    memcpy(&word, p + i, 8);
    word ^= wide;
    memcpy(p + i, &word, 8);
  }
  for (; i < length; i++) p[i] ^= (uint8_t)(key >> (8 * (i & 3)));
}

static uint32_t rotate(uint32_t key, size_t by) {
  unsigned bits = 8 * (by & 3);
  return bits ? key >> bits | key << (32 - bits) : key;
}

// Sends, and keeps what the socket does not take. Returns 0 if the peer is gone.
static int answer(Connection *c, const uint8_t *p, size_t length) {
  if (c->out_have == 0) {
    while (length) {
      ssize_t n = send(c->fd, p, length, MSG_NOSIGNAL);
      if (n < 0 && errno == EAGAIN) break;
      if (n < 0) return 0;
      p += n;
      length -= n;
    }
    if (!length) return 1;
    watch(c, EPOLL_CTL_MOD, EPOLLIN | EPOLLOUT);
  }
  if (c->out_have + length > c->out_room) c->out = realloc(c->out, c->out_room = c->out_have + length);
  memcpy(c->out + c->out_have, p, length);
  c->out_have += length;
  return 1;
}

static int drain(Connection *c) {
  while (c->out_sent < c->out_have) {
    ssize_t n = send(c->fd, c->out + c->out_sent, c->out_have - c->out_sent, MSG_NOSIGNAL);
    if (n < 0) return errno == EAGAIN;
    c->out_sent += n;
  }
  c->out_have = c->out_sent = 0;
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

// Answers the whole frames at p; returns the bytes they took.
static size_t echo(Connection *c, uint8_t *p, size_t have) {
  size_t at = 0, to = 0, length = 0, size;
  while ((size = header(p + at, have - at, &length)) && have - at >= size + 4 + length) {
    uint32_t key;
    memcpy(&key, p + at + size, 4);
    size_t done = at == 0 ? c->unmasked : 0;
    unmask(p + at + size + 4 + done, length - done, rotate(key, done));
    c->unmasked = 0;
    p[at + 1] &= 127;
    // The first frame's payload stays where it is, and its header moves up to it; the next ones move down.
    if (at == 0) memmove(p + 4, p, size), to = 4 + size + length;
    else memmove(p + to, p + at, size), memmove(p + to + size, p + at + size + 4, length), to += size + length;
    at += size + 4 + length;
  }
  if (at && !answer(c, p + 4, to - 4)) return (size_t)-1;
  return at;
}

static int receive(Connection *c) {
  uint8_t *base = c->have ? c->bytes : shared;
  size_t length = 0, size = c->have ? header(c->bytes, c->have, &length) : 0;
  size_t want = size ? size + 4 + length - c->have : READ_SIZE;
  if (want > READ_SIZE && !size) want = READ_SIZE;
  if (c->have && c->have + want > c->room) base = c->bytes = realloc(c->bytes, c->room = c->have + want);
  ssize_t n = recv(c->fd, base + c->have, want, 0);
  if (n < 0) return errno == EAGAIN;
  if (n == 0) return 0;
  if (!c->upgraded) {
    static const char ok[] = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                             "Sec-WebSocket-Accept: ";
    extern void accept_key(const char *, char *);
    char *key = memmem(base, n, "Sec-WebSocket-Key: ", 19), response[256];
    if (!key) return 0;
    size_t head = sizeof ok - 1;
    memcpy(response, ok, head);
    accept_key(key + 19, response + head);
    memcpy(response + head + 28, "\r\n\r\n", 4);
    c->upgraded = 1;
    return answer(c, (uint8_t *)response, head + 32);
  }
  size_t have = c->have + n, taken = echo(c, base, have);
  if (taken == (size_t)-1) return 0;
  size_t rest = have - taken;
  if (rest && (base == shared || taken)) {
    size_t whole = 0, head = header(base + taken, rest, &whole);
    size_t room = head && head + 4 + whole > rest ? head + 4 + whole : rest + READ_SIZE;
    uint8_t *kept = malloc(room);
    memcpy(kept, base + taken, rest);
    free(c->bytes);
    c->bytes = kept;
    c->room = room;
    c->unmasked = 0;
  }
  c->have = rest;
  if (!rest) { free(c->bytes); c->bytes = NULL; c->room = 0; return 1; }
  // Unmask what has come of a long payload while it is in the cache.
  size_t whole, head = header(c->bytes, rest, &whole);
  if (head) {
    uint32_t key;
    memcpy(&key, c->bytes + head, 4);
    size_t payload = rest - head - 4;
    unmask(c->bytes + head + 4 + c->unmasked, payload - c->unmasked, rotate(key, c->unmasked));
    c->unmasked = payload;
  }
  return 1;
}

int main(int argc, char **argv) {
  struct rlimit files;
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  int listener = socket(AF_INET, SOCK_STREAM, 0), on = 1;
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(argc > 1 ? atoi(argv[1]) : 0),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  if (bind(listener, (void *)&address, sizeof address) || listen(listener, 4096)) return perror("floor"), 1;
  epoll = epoll_create1(0);
  shared = malloc(READ_SIZE);
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL}, events[1024];
  epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event);
  puts("listening");
  fflush(stdout);
  for (;;) {
    int count = epoll_wait(epoll, events, 1024, -1);
    for (int i = 0; i < count; i++) {
      Connection *c = events[i].data.ptr;
      if (c) {
        int alive = 1;
        if (events[i].events & EPOLLOUT) alive = drain(c);
        if (alive && events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) alive = receive(c);
        if (!alive) drop(c);
        continue;
      }
      int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
      if (fd < 0) continue;
      setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      c = calloc(1, sizeof *c);
      c->fd = fd;
      watch(c, EPOLL_CTL_ADD, EPOLLIN);
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

void accept_key(const char *key, char *accept) {
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
