/* Lines typed on the console, with editing and history. Editing needs of the
 * terminal only that \b goes back and blanks erase. */
#pragma once

#include <oct/types.h>

/* The i-th word that a tab may complete to, or NULL behind the last. */
typedef const char *line_word(size_t i);

struct line {
    const char *prompt;
    line_word *candidate;

    char *text;    /* what is typed; ends with a NUL only when read */
    char **words;  /* room for as many words as fit in text, and NULL */
    size_t room;   /* bytes in text, */
    size_t length; /* how many are used, the NUL not counted */
    size_t cursor; /* bytes left of the cursor */

    size_t width;  /* columns right of the prompt */
    size_t from;   /* first byte of the line on the screen, */
    size_t shown;  /* how many there are, */
    size_t column; /* and where among them the screen's cursor is */

    char *past;       /* earlier lines, oldest first, each with its NUL */
    size_t past_used; /* bytes of them */
    size_t recalled;  /* where the line recalled begins; past_used: none */
};

/* Gets memory for lines: they grow as they need, and everything else about a
 * line is reserved with it, so reading and splitting never fail later. Returns
 * 0, or -ENOMEM: not even short lines can be read. */
MUST_CHECK int line_init(struct line *l, const char *prompt,
                         line_word *candidate);

/* Lets a line be typed, and remembers it. Returns its text, which is the
 * line's until the next call. */
char *line_read(struct line *l);

/* Splits what was read at its blanks, in place. Returns the number of words;
 * l->words holds them and a NULL behind. */
int line_split(struct line *l);
