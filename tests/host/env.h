/* What mm/ and lib/ find on the host in place of a kernel and a machine.
 *
 * env.c stands in for the kernel: printing, panics, reports, locks. machine.c
 * stands in for the machine: RAM at any physical addresses, a memory map, the
 * MMU instructions. The program that holds all five formats has one env.c and
 * five copies of machine.c, each with its own RAM. */
#pragma once

#include <oct/boot_info.h>
#include <oct/types.h>

/* --- env.c --- */

/* Print what the kernel prints and reports. From the environment's V. */
extern bool host_verbose;

/* What in_interrupt() answers, and what let_others_run() runs, if anything. */
extern bool host_interrupt;
extern void (*host_others)(void);

/* The environment's variable as a number, or `otherwise`. */
unsigned long host_number(const char *variable, unsigned long otherwise);

/* The next of a sequence of numbers that *state alone decides. */
uint64_t host_random(uint64_t *state);

/* Uniform enough in [0, n), n > 0. */
uint64_t host_below(uint64_t *state, uint64_t n);

/* Runs body(argument). Returns the message with which it panicked, or NULL if
 * it returned. Locks it held stay held. */
const char *host_panic_of(void (*body)(void *), void *argument);

/* Whether the simulated CPU has NX (PAE only; on at start). */
void host_set_nx(bool on);

/* --- machine.c --- */

struct host_bank {
    paddr_t base;
    uint64_t size; /* bytes; both page aligned */
};

/* Replaces RAM by these banks, zeroed, in any order. Costs no memory until
 * touched; touching what lies between banks is a segmentation fault. */
void host_ram(const struct host_bank *banks, size_t n);

/* The host's view of [pa, pa + size); NULL unless all of it is in a bank. */
void *host_view(paddr_t pa, size_t size);

/* Maps the page of RAM at pa at an address of the host's choice, with the
 * protection that mmap(2) takes. False: no RAM there. */
bool host_map_at(void *where, paddr_t pa, int prot);

/* A boot_info that says these ranges. Both stay valid until the next call. */
const struct boot_info *host_boot(const struct mem_range *ranges, size_t n);

/* RAM in one bank with firmware and kernel at its start, and the memory manager
 * brought up on it in the kernel's order. kernel_map is empty but for the
 * tables of the windows: the direct map is the host's own memory. A process can
 * do this once. */
void host_machine(paddr_t base, size_t bytes);

/* The same on a machine of which *boot tells; RAM is there already. */
void host_start(const struct boot_info *boot);

/* Arguments of an mmu_flush. */
struct host_flush {
    paddr_t root;
    vaddr_t va;
    size_t len, stride;
    unsigned what;
};

/* Called by every mmu_flush, if set: before the TLB forgets, and after. */
extern void (*host_on_flush)(const struct host_flush *f, bool after);

/* --- windows.c --- */

/* From now on reads and writes in the kernel windows go where kernel_map says,
 * and a bad one ends the process. */
void host_windows_start(void);

/* Forgets what was mapped for accesses there: mmu_flush calls it. */
void host_windows_flush(vaddr_t va, size_t len);
