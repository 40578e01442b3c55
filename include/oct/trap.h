/* What a port reports when the CPU traps: one form for all machines. */
#pragma once

#include <oct/types.h>

enum trap_kind {
    TRAP_FAULT,     /* a memory access was refused: addr and access tell */
    TRAP_EXCEPTION, /* the instruction was refused otherwise: name tells */
    TRAP_DOUBLE,    /* no stack was left to report a fault on: as TRAP_FAULT,
                       but the interrupted code cannot go on */
    TRAP_TIMER,     /* the clock ticked */
    TRAP_CONSOLE,   /* arch_console_read has something */
    TRAP_SPURIOUS,  /* an interrupt nobody asked for */
};

/* Why an access was refused (enum, not flags: one access has one kind). */
enum trap_access { ACCESS_READ, ACCESS_WRITE, ACCESS_EXECUTE, ACCESS_UNKNOWN };

struct trap {
    enum trap_kind kind;
    enum trap_access access;
    bool user;          /* it happened in user mode */
    vaddr_t pc, sp, fp; /* where: program counter, stack and frame pointer */
    vaddr_t addr;       /* TRAP_FAULT, TRAP_DOUBLE: the address */
    unsigned long code; /* the machine's own number: vector or cause */
    unsigned long info; /* the machine's own detail: error code, stval */
    const char *name;   /* the manual's name for it */
};

/* Upcall of the port, with interrupts off. Returning resumes the interrupted
 * code; for TRAP_DOUBLE it does not return. */
void trap_dispatch(struct trap *t);
