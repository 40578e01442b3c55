/* Lets the host's CPU use the kernel windows. Nothing is mapped there until it
 * is touched; then the fault is answered with what the software MMU finds in
 * kernel_map, a page of the simulated RAM or nothing. What was mapped so stays
 * until mmu_flush takes it back, as in a TLB. */
#define _GNU_SOURCE
#include "env.h"
#include "faketlb.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <ucontext.h>

#include <arch/layout.h>
#include <oct/assert.h>

#include "mm/paging.h"
#include "mm/pmm.h"

#define FAULT_WRITE 2 /* in the page-fault error code of the host, an x86 */

static struct sigaction previous;

static bool is_in_windows(vaddr_t va)
{
    return va >= WINDOW_START && va < WINDOW_END;
}

/* Maps the page that holds va as the tables say. False: they forbid it. */
static bool answer(vaddr_t va, enum soft_access access)
{
    vaddr_t page = va & ~(vaddr_t)(PAGE_SIZE - 1);
    struct soft_walk w =
        soft_translate(host_mmu, host_view, kernel_map.root, page);
    int prot = PROT_READ | (w.may[false][SOFT_WRITE] ? PROT_WRITE : 0);
    return w.fault == SOFT_OK && w.may[false][access] &&
           host_map_at((void *)page, w.pa + (page - w.va), prot);
}

/* Whoever handled faults before (a sanitizer) reports this one: returning
 * repeats it. */
static void on_fault(int signal, siginfo_t *info, void *context)
{
    ucontext_t *cpu = context;
    bool write = cpu->uc_mcontext.gregs[REG_ERR] & FAULT_WRITE;
    vaddr_t va = (vaddr_t)info->si_addr;
    if (!is_in_windows(va) || !answer(va, write ? SOFT_WRITE : SOFT_READ))
        sigaction(signal, &previous, NULL);
}

void host_windows_start(void)
{
    struct sigaction action = {.sa_sigaction = on_fault,
                               .sa_flags = SA_SIGINFO | SA_NODEFER};
    if (sigaction(SIGSEGV, &action, &previous) != 0)
        abort();
}

void host_windows_flush(vaddr_t va, size_t len)
{
    vaddr_t last = va + (len - 1);
    vaddr_t from = va > WINDOW_START ? va : WINDOW_START;
    vaddr_t to = last < WINDOW_END - 1 ? last : WINDOW_END - 1;
    if (from <= to)
        munmap((void *)from, to - from + 1);
}
