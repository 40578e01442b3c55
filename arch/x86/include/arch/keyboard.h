/* A PC keyboard behind an 8042 controller, US layout. */
#pragma once

/* Makes the controller interrupt on LINE_KEYBOARD and translate to set 1. */
void keyboard_init(void);

/* What a terminal would send for the next key event: often "", as when a key
 * is released. NULL if there is no event. Does not wait. The text is valid
 * until the next call. */
const char *keyboard_read(void);
