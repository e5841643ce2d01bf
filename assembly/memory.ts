// The map of the shared memory: where the codec's tables, the inbox and the heap lie, and what a slot holds.
// Everything exported to the host is a global of the module; the build writes them into the host's constants.

/** What `parse` says about its last call. Offsets are from RESULT. */
export const RESULT: u32 = 64
export const RESULT_COUNT: u32 = 0 // u32: entries in the frame table
export const RESULT_CONSUMED: u32 = 4 // u32: the address of the first byte not yet consumed
export const RESULT_NEEDED: u32 = 8 // f64: bytes the message's region must hold to go on
export const RESULT_ANNOUNCED: u32 = 16 // f64: bytes the message will have when its current frame ends
export const RESULT_FILLED: u32 = 24 // f64: bytes the message's region holds

/** The words of the two blocks that are hashed for the answer to a key (see acceptance), one behind the other. */
export const SHA1_SCHEDULE: u32 = 128
export const SHA1_REST: u32 = 448

/** The frame table: what a call of `parse` found, in order. An entry is three u32 and a spare. */
export const TABLE: u32 = 1024
export const ENTRY_SIZE: u32 = 16
export const ENTRY_INFO: u32 = 0 // opcode, and the INFO bits below
export const ENTRY_POINTER: u32 = 4
export const ENTRY_LENGTH: u32 = 8
export const TABLE_ENTRIES: u32 = 2048
export const TABLE_END: u32 = TABLE + TABLE_ENTRIES * ENTRY_SIZE

export const INFO_OPCODE: u32 = 0x0f
/** The payload lies in the message's own region, not where it was read. */
export const INFO_REGION: u32 = 0x10
/** The payload is text and every byte of it is below 0x80. */
export const INFO_ASCII: u32 = 0x20
/** A part of a streamed message: more of it follows. */
export const INFO_PART: u32 = 0x40
/** The payload is compressed, and nothing is known about what is in it. */
export const INFO_COMPRESSED: u32 = 0x80
/**
 * A frame of a message ends here, and another one follows. With INFO_REGION, the entry is nothing but this mark, and its pointer is
 * the bytes of the message so far.
 */
export const INFO_MARK: u32 = 0x100

/** One read lands here. The size is a compromise: a 64-bit frame should fit, one peer should not hold a turn for long. */
export const INBOX: u32 = 65536
export const INBOX_LENGTH: u32 = 262144

/** From here on, the host hands out memory. */
export const HEAP: u32 = INBOX + INBOX_LENGTH

/** A slot: what one connection's parser remembers between reads. Offsets are from the slot's address. */
export const SLOT_SIZE: u32 = 192
export const SLOT_MASKED: u32 = 0 // u8: the mask bit this side must see, 0x80 (from clients) or 0 (from servers)
export const SLOT_MESSAGE: u32 = 1 // u8: the opcode of the fragmented message under way, or 0
export const SLOT_FRAME: u32 = 2 // u8: the first byte of the frame under way
export const SLOT_IN_PAYLOAD: u32 = 3 // u8: 1 while a data frame's payload is incomplete
export const SLOT_CARRIED: u32 = 4 // u8: bytes in SLOT_CARRY
export const SLOT_WIDE: u32 = 5 // u8: 1 once the text message under way held a byte of 0x80 or more
export const SLOT_STREAMED: u32 = 6 // u8: 1 while the message under way is handed out in parts, 2 if it is compressed
export const SLOT_EXTENSION: u32 = 7 // u8: the reserved bit that marks a compressed message, or 0
export const SLOT_UTF8: u32 = 8 // u32: the state of the UTF-8 automaton
export const SLOT_KEY: u32 = 12 // u32: the masking key, rotated to the next payload byte
export const SLOT_REMAINING: u32 = 16 // u64: payload bytes of the current frame still to come
export const SLOT_LIMIT: u32 = 24 // u64: the longest message that is accepted
export const SLOT_REGION: u32 = 32 // u32: where the message under way is assembled, or 0
export const SLOT_CAPACITY: u32 = 36 // u32: bytes the region can take
export const SLOT_LENGTH: u32 = 40 // u32: bytes of the message already in the region
export const SLOT_MOST_FRAGMENTS: u32 = 44 // u32: frames that a message may have; 0 is any number
/** A header or a control frame cut by the end of a read: at most 6 + 125 bytes, as that of a control frame has no more. */
export const SLOT_CARRY: u32 = 48
export const LONGEST_CARRIED: u32 = 131
export const SLOT_DEFLATED: u32 = 180 // u32: payload bytes of the frames of a compressed message, as far as they have a limit
export const SLOT_LIMITS_COMPRESSED: u32 = 184 // u8: 1 where the limit holds for what is compressed, as it comes
export const SLOT_MARKS: u32 = 185 // u8: 1 where the ends of a message's frames are marked
export const SLOT_ANY_LENGTH: u32 = 186 // u8: 1 where a length need not be in its shortest form
export const SLOT_ANY_TEXT: u32 = 187 // u8: 1 where text is not validated
export const SLOT_FRAGMENTS: u32 = 188 // u32: frames of the message under way

/** What the counter keeps where the parser keeps something else. */
export const SLOT_GREETING: u32 = 5 // u8: 0 once messages are answers
export const SLOT_FIRST: u32 = 6 // u8: the first byte of a whole answer
export const SLOT_TAKEN: u32 = 8 // u32: payload bytes that have come of the answer under way
export const SLOT_LONGEST: u32 = 40 // u64: the longest compressed answer
export const SLOT_SHORT: u32 = 176 // u16: the header of the latest short answer, after the longest control frame in the carry
