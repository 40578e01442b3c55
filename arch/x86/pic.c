#include <arch/io.h>
#include <arch/pic.h>

/* Command and data ports; the slave hangs on the master's line 2. */
enum { MASTER = 0x20, SLAVE = 0xa0, DATA = 1, CASCADE = 2 };

enum {
    INIT = 0x11,         /* ICW1: edge triggered, ICW4 follows */
    MODE_8086 = 0x01,    /* ICW4 */
    READ_SERVICE = 0x0b, /* OCW3: next read gives what is in service */
    END = 0x20,          /* OCW2: end of interrupt */
};

static uint16_t masked = 0xffff & ~(1 << CASCADE);

static void write_masks(void)
{
    outb(MASTER + DATA, masked & 0xff);
    outb(SLAVE + DATA, masked >> 8);
}

static void init_one(uint16_t port, uint8_t vector, uint8_t cascade)
{
    outb(port, INIT);
    outb(port + DATA, vector);
    outb(port + DATA, cascade);
    outb(port + DATA, MODE_8086);
}

void pic_init(void)
{
    init_one(MASTER, PIC_VECTOR, 1 << CASCADE);
    init_one(SLAVE, PIC_VECTOR + 8, CASCADE);
    write_masks();
}

void pic_unmask(unsigned line)
{
    masked &= ~(1u << line);
    write_masks();
}

static bool in_service(uint16_t port, unsigned line)
{
    outb(port, READ_SERVICE);
    return inb(port) >> line & 1;
}

/* A spurious interrupt of the slave is a real one to the master. */
bool pic_acknowledge(unsigned line)
{
    bool real = in_service(line < 8 ? MASTER : SLAVE, line % 8);

    if (line >= 8 && real)
        outb(SLAVE, END);
    if (line >= 8 || real)
        outb(MASTER, END);
    return real;
}
