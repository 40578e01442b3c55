#include "kernel/line.h"
#include "kernel/console.h"
#include "kernel/keys.h"
#include "mm/kheap.h"

#include <oct/errno.h>
#include <oct/print.h>
#include <oct/string.h>

#define SCREEN_WIDTH 80
#define FIRST_ROOM 128
#define PAST_ROOM 4096

/* --- memory --- */

/* n bytes have at most n / 2 words. */
static bool make_room(struct line *l, size_t room)
{
    size_t words = (room / 2 + 1) * sizeof(*l->words);
    char *text = krealloc(l->text, room, GFP_KERNEL | __GFP_NOWARN);
    if (!text)
        return false;
    l->text = text;
    char **more = krealloc(l->words, words, GFP_KERNEL | __GFP_NOWARN);
    if (!more)
        return false;
    l->words = more;
    l->room = room;
    return true;
}

int line_init(struct line *l, const char *prompt, line_word *candidate)
{
    *l = (struct line){.prompt = prompt, .candidate = candidate};
    l->width = SCREEN_WIDTH - 1 - strlen(prompt);
    l->past = kmalloc(PAST_ROOM, GFP_KERNEL); /* NULL: without history */
    return make_room(l, FIRST_ROOM) ? 0 : -ENOMEM;
}

/* --- the screen --- */

static void go_to(struct line *l, size_t column)
{
    for (; l->column > column; l->column--)
        kprintf("\b");
    if (l->column < column) {
        kprintf("%.*s", (int)(column - l->column),
                l->text + l->from + l->column);
        l->column = column;
    }
}

static void keep_cursor_in_sight(struct line *l)
{
    if (l->cursor < l->from || l->cursor >= l->from + l->width)
        l->from = l->cursor > l->width / 2 ? l->cursor - l->width / 2 : 0;
}

/* Bytes below `changed` are on the screen as they are in the line, unless the
 * line has to be shown from another byte on. */
static void show(struct line *l, size_t changed)
{
    size_t old_from = l->from;
    keep_cursor_in_sight(l);
    size_t count = min_size(l->length - l->from, l->width);
    size_t same = changed > l->from ? min_size(changed - l->from, count) : 0;
    if (l->from != old_from)
        same = 0;
    if (same < count || count < l->shown) {
        go_to(l, same);
        go_to(l, count);
        int left_over = l->shown > count ? (int)(l->shown - count) : 0;
        kprintf("%*s", left_over, "");
        l->column += (size_t)left_over;
        l->shown = count;
    }
    go_to(l, l->cursor - l->from);
}

static void show_afresh(struct line *l)
{
    kprintf("%s", l->prompt);
    l->from = l->shown = l->column = 0;
    show(l, 0);
}

static void move_to(struct line *l, size_t cursor)
{
    l->cursor = cursor;
    show(l, l->length);
}

/* --- changing the text --- */

static void insert(struct line *l, const char *s, size_t n)
{
    while (l->length + n >= l->room)
        if (!make_room(l, 2 * l->room))
            return;
    char *at = l->text + l->cursor;
    memmove(at + n, at, l->length - l->cursor);
    memcpy(at, s, n);
    l->length += n;
    l->cursor += n;
    show(l, l->cursor - n);
}

/* The cursor goes to the first byte removed. */
static void remove_between(struct line *l, size_t first, size_t end)
{
    memmove(l->text + first, l->text + end, l->length - end);
    l->length -= end - first;
    l->cursor = first;
    show(l, first);
}

static void replace_all(struct line *l, const char *s)
{
    remove_between(l, 0, l->length);
    insert(l, s, strlen(s));
}

/* --- history --- */

static size_t past_before(const struct line *l, size_t line)
{
    while (--line > 0 && l->past[line - 1])
        continue;
    return line;
}

static bool worth_remembering(const struct line *l)
{
    if (!l->past || l->length == 0 || l->length >= PAST_ROOM)
        return false;
    return l->past_used == 0 ||
           strcmp(l->text, l->past + past_before(l, l->past_used)) != 0;
}

/* The oldest lines make room. */
static void remember(struct line *l)
{
    if (!worth_remembering(l))
        return;
    size_t size = l->length + 1, oldest = 0;
    while (l->past_used - oldest + size > PAST_ROOM)
        oldest += strlen(l->past + oldest) + 1;
    l->past_used -= oldest;
    memmove(l->past, l->past + oldest, l->past_used);
    memcpy(l->past + l->past_used, l->text, size);
    l->past_used += size;
}

static void recall_older(struct line *l)
{
    if (l->recalled == 0)
        return;
    l->recalled = past_before(l, l->recalled);
    replace_all(l, l->past + l->recalled);
}

static void recall_newer(struct line *l)
{
    if (l->recalled == l->past_used)
        return;
    l->recalled += strlen(l->past + l->recalled) + 1;
    replace_all(l, l->recalled < l->past_used ? l->past + l->recalled : "");
}

/* --- completion --- */

static size_t word_start(const struct line *l)
{
    size_t start = l->cursor;
    while (start > 0 && l->text[start - 1] != ' ')
        start--;
    return start;
}

static size_t common_length(const char *a, const char *b)
{
    size_t n = 0;
    while (a[n] && a[n] == b[n])
        n++;
    return n;
}

static bool begins(const char *word, const char *start, size_t n)
{
    return strncmp(word, start, n) == 0;
}

static void list_candidates(struct line *l, const char *start, size_t n)
{
    const char *word;
    kprintf("\n");
    for (size_t i = 0; (word = l->candidate(i)); i++)
        if (begins(word, start, n))
            kprintf("%s  ", word);
    kprintf("\n");
    show_afresh(l);
}

static void complete(struct line *l)
{
    const char *start = l->text + word_start(l), *word, *found = NULL;
    size_t n = (size_t)(l->text + l->cursor - start), common = 0, count = 0;
    for (size_t i = 0; (word = l->candidate(i)); i++) {
        if (!begins(word, start, n))
            continue;
        common = count++ ? min_size(common, common_length(found, word))
                         : strlen(word);
        found = word;
    }
    if (count > 1 && common == n)
        list_candidates(l, start, n);
    else if (count > 0)
        insert(l, found + n, common - n);
    if (count == 1)
        insert(l, " ", 1);
}

/* --- keys --- */

static void go_left(struct line *l)
{
    move_to(l, l->cursor > 0 ? l->cursor - 1 : 0);
}

static void go_right(struct line *l)
{
    move_to(l, min_size(l->cursor + 1, l->length));
}

static void go_home(struct line *l)
{
    move_to(l, 0);
}

static void go_end(struct line *l)
{
    move_to(l, l->length);
}

static void delete_left(struct line *l)
{
    if (l->cursor > 0)
        remove_between(l, l->cursor - 1, l->cursor);
}

static void delete_right(struct line *l)
{
    if (l->cursor < l->length)
        remove_between(l, l->cursor, l->cursor + 1);
}

static void delete_to_start(struct line *l)
{
    remove_between(l, 0, l->cursor);
}

static void delete_to_end(struct line *l)
{
    remove_between(l, l->cursor, l->length);
}

static void delete_word(struct line *l)
{
    size_t end = l->cursor;
    while (l->cursor > 0 && l->text[l->cursor - 1] == ' ')
        l->cursor--;
    remove_between(l, word_start(l), end);
}

static void clear_screen(struct line *l)
{
    kprintf("\033[H\033[2J");
    show_afresh(l);
}

static const struct {
    int key;
    void (*act)(struct line *);
} actions[] = {
    {KEY_LEFT, go_left},
    {CTRL('B'), go_left},
    {KEY_RIGHT, go_right},
    {CTRL('F'), go_right},
    {KEY_HOME, go_home},
    {CTRL('A'), go_home},
    {KEY_END, go_end},
    {CTRL('E'), go_end},
    {KEY_UP, recall_older},
    {CTRL('P'), recall_older},
    {KEY_DOWN, recall_newer},
    {CTRL('N'), recall_newer},
    {KEY_RUBOUT, delete_left},
    {CTRL('H'), delete_left},
    {KEY_DELETE, delete_right},
    {CTRL('D'), delete_right},
    {CTRL('U'), delete_to_start},
    {CTRL('K'), delete_to_end},
    {CTRL('W'), delete_word},
    {CTRL('L'), clear_screen},
    {CTRL('I'), complete},
};

static void obey(struct line *l, int key)
{
    char c = (char)key;
    if (key >= ' ' && key < KEY_RUBOUT)
        insert(l, &c, 1);
    for (size_t i = 0; i < ARRAY_SIZE(actions); i++)
        if (actions[i].key == key)
            actions[i].act(l);
}

char *line_read(struct line *l)
{
    int key;
    l->length = l->cursor = 0;
    l->recalled = l->past_used;
    show_afresh(l);
    while ((key = key_read()) != '\r' && key != '\n' && key != CTRL('C'))
        obey(l, key);
    go_end(l);
    kprintf(key == CTRL('C') ? "^C\n" : "\n");
    if (key == CTRL('C'))
        l->length = 0;
    l->text[l->length] = '\0';
    remember(l);
    return l->text;
}

int line_split(struct line *l)
{
    int n = 0;
    for (char *s = l->text; *s;) {
        while (*s == ' ')
            *s++ = '\0';
        if (*s)
            l->words[n++] = s;
        while (*s && *s != ' ')
            s++;
    }
    l->words[n] = NULL;
    return n;
}
