/* Symbols that the linker scripts define. All are page aligned. The kernel is
 * linked where it runs, and virtual = physical for all of it. */
#pragma once

extern char image_start[], image_end[];   /* all of it, .bss included */
extern char text_start[], text_end[];     /* read and execute */
extern char rodata_start[], rodata_end[]; /* read only */
extern char data_start[], data_end[];     /* read and write, .bss included */

/* The boot CPU's stack, at the end of the data; the page below is a guard and
 * is never mapped. */
extern char stack_guard[], stack_bottom[], stack_top[];
