/* What the port itself needs of mmu.c; the rest is <oct/mmu.h>. */
#pragma once

/* Decides how entries are coded on this CPU (pte_nx). After cpu_identify and
 * before anything makes an entry. */
void mmu_detect(void);
