#include "kernel/keys.h"
#include "kernel/console.h"

static int key_of_letter(int letter)
{
    switch (letter) {
    case 'A':
        return KEY_UP;
    case 'B':
        return KEY_DOWN;
    case 'C':
        return KEY_RIGHT;
    case 'D':
        return KEY_LEFT;
    case 'H':
        return KEY_HOME;
    case 'F':
        return KEY_END;
    default:
        return KEY_UNKNOWN;
    }
}

static int key_of_number(unsigned number)
{
    switch (number) {
    case 1:
    case 7:
        return KEY_HOME;
    case 4:
    case 8:
        return KEY_END;
    case 3:
        return KEY_DELETE;
    default:
        return KEY_UNKNOWN;
    }
}

/* ESC [ number ; more... final, or ESC O final. A byte below the blank cannot
 * be part of a sequence and ends a broken one. */
static int read_sequence(void)
{
    unsigned number = 0;
    int c = console_getc();
    for (; c >= '0' && c <= '9'; c = console_getc())
        number = number * 10 + (unsigned)(c - '0');
    while (c >= ' ' && c < '@')
        c = console_getc();
    return c == '~' ? key_of_number(number) : key_of_letter(c);
}

int key_read(void)
{
    int c = console_getc();
    if (c != KEY_ESCAPE)
        return c;
    while (c == KEY_ESCAPE)
        c = console_getc();
    return c == '[' || c == 'O' ? read_sequence() : KEY_UNKNOWN;
}
