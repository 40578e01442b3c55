/* A terminal on the VGA's text memory: one 16-bit cell a character, the high
 * byte its colours. Text wraps when a character comes that has no column left,
 * so a full line followed by "\n" leaves no empty one. */
#include <arch/io.h>
#include <arch/vga.h>
#include <oct/string.h>

enum { COLUMNS = 80, ROWS = 25, TAB = 8 };
enum { INDEX = 0x3d4, DATA = 0x3d5, CURSOR_HIGH = 14, CURSOR_LOW = 15 };
enum { PLAIN = 0x07, BRIGHT = 0x08 }; /* colours: light grey on black */
enum { ARGUMENTS = 8 };

static uint16_t *const cells = (uint16_t *)0xb8000;

static struct {
    unsigned row, column; /* column == COLUMNS: the line is full */
    uint8_t colours;
    enum { TEXT, ESCAPE, SEQUENCE } state;
    unsigned arguments[ARGUMENTS], count; /* of the sequence: count is the
                                             index of the one being read */
} screen;

static void clear(unsigned row, unsigned from, unsigned to)
{
    for (unsigned i = from; i < to; i++)
        cells[row * COLUMNS + i] = (uint16_t)(screen.colours << 8 | ' ');
}

static void new_line(void)
{
    screen.column = 0;
    if (++screen.row < ROWS)
        return;
    screen.row = ROWS - 1;
    memmove(cells, cells + COLUMNS, sizeof(*cells) * COLUMNS * (ROWS - 1));
    clear(ROWS - 1, 0, COLUMNS);
}

static void show(char c)
{
    if (screen.column == COLUMNS)
        new_line();
    cells[screen.row * COLUMNS + screen.column++] =
        (uint16_t)(screen.colours << 8 | (uint8_t)c);
}

/* Goes back over a wrapped line too: an input line may be longer than one. */
static void back(void)
{
    if (screen.column > 0) {
        screen.column--;
    } else if (screen.row > 0) {
        screen.row--;
        screen.column = COLUMNS - 1;
    }
}

static void tab(void)
{
    do
        show(' ');
    while (screen.column % TAB);
}

static void text(char c)
{
    switch (c) {
    case '\n':
        new_line();
        break;
    case '\r':
        screen.column = 0;
        break;
    case '\b':
        back();
        break;
    case '\t':
        tab();
        break;
    case '\033':
        screen.state = ESCAPE;
        break;
    default:
        if ((uint8_t)c >= ' ' && c != 0x7f)
            show(c);
    }
}

/* Select graphic rendition, ECMA-48 8.3.117. Its colours count red as 1 and
 * blue as 4, the VGA's the other way round. */
static void render(unsigned what)
{
    static const uint8_t vga[8] = {0, 4, 2, 6, 1, 5, 3, 7};
    uint8_t *c = &screen.colours;

    if (what == 0)
        *c = PLAIN;
    else if (what == 1)
        *c |= BRIGHT;
    else if (what == 7)
        *c = (uint8_t)((*c & BRIGHT) | (*c & 7) << 4 | (*c >> 4 & 7));
    else if (what == 22)
        *c &= ~BRIGHT;
    else if (what >= 30 && what <= 37)
        *c = (*c & 0xf8) | vga[what - 30];
    else if (what == 39)
        *c = (*c & 0xf0) | PLAIN;
    else if (what >= 40 && what <= 47)
        *c = (uint8_t)((*c & 0x0f) | vga[what - 40] << 4);
    else if (what == 49)
        *c &= 0x0f;
    else if (what >= 90 && what <= 97)
        *c = (*c & 0xf0) | BRIGHT | vga[what - 90];
}

static void move(unsigned by, bool forward)
{
    unsigned last = COLUMNS - 1;

    if (by == 0)
        by = 1;
    if (screen.column > last)
        screen.column = last;
    if (forward)
        screen.column = by > last - screen.column ? last : screen.column + by;
    else
        screen.column = by > screen.column ? 0 : screen.column - by;
}

static void obey(char final)
{
    unsigned first = screen.arguments[0];

    if (final == 'm')
        for (unsigned i = 0; i <= screen.count; i++)
            render(screen.arguments[i]);
    else if (final == 'K' && first == 0)
        clear(screen.row, screen.column, COLUMNS);
    else if (final == 'C' || final == 'D')
        move(first, final == 'C');
}

/* ECMA-48 5.4: ESC [, parameters 0x30..0x3f, intermediates 0x20..0x2f, one
 * final byte. */
static void sequence(char c)
{
    unsigned *argument = &screen.arguments[screen.count];

    if (c >= '0' && c <= '9') {
        if (*argument < 1000)
            *argument = *argument * 10 + (unsigned)(c - '0');
    } else if (c == ';') {
        if (screen.count < ARGUMENTS - 1)
            screen.count++;
    } else if (c >= 0x40 || c < 0x20) {
        screen.state = TEXT;
        obey(c);
    }
}

static void escape(char c)
{
    memset(screen.arguments, 0, sizeof(screen.arguments));
    screen.count = 0;
    screen.state = c == '[' ? SEQUENCE : TEXT;
}

static void show_cursor(void)
{
    unsigned at = screen.row * COLUMNS + screen.column;

    if (screen.column == COLUMNS)
        at--;
    outb(INDEX, CURSOR_HIGH);
    outb(DATA, (uint8_t)(at >> 8));
    outb(INDEX, CURSOR_LOW);
    outb(DATA, (uint8_t)at);
}

void vga_init(void)
{
    screen.row = screen.column = 0;
    screen.colours = PLAIN;
    screen.state = TEXT;
    for (unsigned row = 0; row < ROWS; row++)
        clear(row, 0, COLUMNS);
    show_cursor();
}

void vga_write(const char *s, size_t n)
{
    static void (*const take[])(char) = {
        [TEXT] = text, [ESCAPE] = escape, [SEQUENCE] = sequence};

    for (; n > 0; s++, n--)
        take[screen.state](*s);
    show_cursor();
}
