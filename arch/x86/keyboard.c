/* IBM PS/2 Hardware Interface Technical Reference, keyboard and auxiliary
 * device controller; scan codes are those of set 1: one byte when a key goes
 * down, the same with bit 7 when it comes up, some behind a prefix of 0xe0.
 * The keyboard sends what a terminal on the serial line would: Enter is \r,
 * Backspace is DEL, arrows are ESC [ A to D. */
#include <arch/io.h>
#include <arch/keyboard.h>
#include <oct/types.h>

enum { DATA = 0x60, STATUS = 0x64, COMMAND = 0x64 };
enum { FULL = 0x01, BUSY = 0x02, FROM_MOUSE = 0x20, ABSENT = 0xff };
enum { READ_MODE = 0x20, WRITE_MODE = 0x60, ENABLE = 0xae };
enum { MODE_INTERRUPT = 0x01, MODE_DISABLED = 0x10, MODE_TRANSLATE = 0x40 };

enum {
    RELEASED = 0x80,
    PREFIX = 0xe0,
    CTRL = 0x1d,
    LEFT_SHIFT = 0x2a,
    RIGHT_SHIFT = 0x36,
    CAPS_LOCK = 0x3a,
    FIRST_PAD = 0x47,
};

/* By scan code; 0: nothing. */
static const char plain[] = "\0\033"
                            "1234567890-=\177\t"
                            "qwertyuiop[]\r\0"
                            "asdfghjkl;'`\0\\"
                            "zxcvbnm,./\0*\0 ";
static const char shifted[] = "\0\033"
                              "!@#$%^&*()_+\177\t"
                              "QWERTYUIOP{}\r\0"
                              "ASDFGHJKL:\"~\0|"
                              "ZXCVBNM<>?\0*\0 ";

/* From FIRST_PAD on, the number pad and its grey doubles alike. */
static const char *const pad[] = {
    "\033[H", "\033[A", "\033[5~", "-",       "\033[D",  "",       "\033[C",
    "+",      "\033[F", "\033[B",  "\033[6~", "\033[2~", "\033[3~"};

static struct {
    bool left_shift, right_shift, ctrl, caps; /* caps: locked */
    bool prefixed;
} keys;

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Is it a key that only changes what others mean? Notes it if so. The prefixed
 * shifts are no keys: the keyboard wraps some grey keys in them. */
static bool modifier(uint8_t code, bool down, bool prefixed)
{
    switch (code) {
    case CTRL:
        keys.ctrl = down;
        return true;
    case LEFT_SHIFT:
        keys.left_shift = prefixed ? keys.left_shift : down;
        return true;
    case RIGHT_SHIFT:
        keys.right_shift = prefixed ? keys.right_shift : down;
        return true;
    case CAPS_LOCK:
        keys.caps ^= down;
        return true;
    default:
        return false;
    }
}

static char character(uint8_t code)
{
    bool shift = keys.left_shift || keys.right_shift;

    if (code >= sizeof(plain) - 1)
        return 0;
    if (keys.caps && is_letter(plain[code]))
        shift = !shift;
    char c = shift ? shifted[code] : plain[code];
    if (keys.ctrl && (is_letter(c) || (c >= '[' && c <= '_')))
        c &= 0x1f;
    return c;
}

static const char *pressed(uint8_t code)
{
    static char one[2];

    if (code >= FIRST_PAD && code < FIRST_PAD + ARRAY_SIZE(pad))
        return pad[code - FIRST_PAD];
    one[0] = character(code);
    return one;
}

const char *keyboard_read(void)
{
    uint8_t status = inb(STATUS);

    if (status == ABSENT || !(status & FULL))
        return NULL;
    uint8_t code = inb(DATA);
    if (status & FROM_MOUSE)
        return "";
    bool prefixed = keys.prefixed, down = !(code & RELEASED);
    keys.prefixed = code == PREFIX;
    if (keys.prefixed || modifier(code & 0x7f, down, prefixed) || !down)
        return "";
    return pressed(code);
}

static bool wait_until(uint8_t bit, uint8_t value)
{
    for (int i = 0; i < 100000; i++)
        if ((inb(STATUS) & bit) == value)
            return true;
    return false;
}

static void send(uint16_t port, uint8_t byte)
{
    if (wait_until(BUSY, 0))
        outb(port, byte);
}

void keyboard_init(void)
{
    if (inb(STATUS) == ABSENT)
        return;
    while (keyboard_read())
        continue;
    send(COMMAND, ENABLE);
    send(COMMAND, READ_MODE);
    if (!wait_until(FULL, FULL))
        return;
    uint8_t mode = inb(DATA) | MODE_INTERRUPT | MODE_TRANSLATE;
    send(COMMAND, WRITE_MODE);
    send(DATA, mode & ~MODE_DISABLED);
}
