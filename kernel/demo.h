/* Demonstrations of the allocators, for those who want to use them: each fits
 * on a screen, and "demo NAME" runs it. They leave nothing behind. */
#pragma once

struct demo {
    const char *name;
    void (*run)(void);
};

#define DEMO(word)                                                             \
    static void demo_##word(void);                                             \
    const struct demo demo_entry_##word = {#word, demo_##word};                \
    static void demo_##word(void)

extern const struct demo demo_entry_cache, demo_entry_vmalloc,
    demo_entry_percpu;
