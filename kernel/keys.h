/* Keys, from the escape sequences of ANSI terminals and their relatives. */
#pragma once

/* Bytes are themselves, CTRL('A') is 1; these lie above. */
enum {
    KEY_UP = 256,
    KEY_DOWN,
    KEY_RIGHT,
    KEY_LEFT,
    KEY_HOME,
    KEY_END,
    KEY_DELETE,
    KEY_UNKNOWN
};

#define CTRL(letter) ((letter) - '@')
#define KEY_ESCAPE 0x1b
#define KEY_RUBOUT 0x7f

/* Waits for a key on the console. */
int key_read(void);
