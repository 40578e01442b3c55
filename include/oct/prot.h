/* Rights of a mapping. A mapping is always readable: no format can withhold
 * reading and grant something else everywhere, so P_READ must be given. */
#pragma once

enum {
    P_READ = 0x01,
    P_WRITE = 0x02,
    P_EXEC = 0x04,
    P_USER = 0x08,   /* for user mode; else for the kernel only */
    P_GLOBAL = 0x10, /* the same in every space: kernel mappings */
    P_DEVICE = 0x20, /* not cached, not reordered, where the format can say */
    P_ALL = 0x3f,
};
