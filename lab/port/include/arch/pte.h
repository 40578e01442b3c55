/* Of page tables, the library needs only what a frame is, and a group of them
 * that a large page could map. */
#pragma once

#define PAGE_SHIFT 12
#define PT_INDEX_BITS 9
