; Where the loader jumps to: 32-bit protected mode, flat segments, paging and
; interrupts off, eax = the loader's magic, ebx = its information.
; Multiboot Specification 0.6.96, sections 3.1 and 3.2.

MAGIC equ 0x1badb002
FLAGS equ 3                     ; modules page aligned; give a memory map

extern x86_start, kmain, stack_top

section .boot progbits alloc exec nowrite align=16
global _start
_start:                         ; 0x100000; the header need only be near
        jmp near enter

        align 4
        dd MAGIC, FLAGS, -(MAGIC + FLAGS)

; A frame pointer of 0 ends every backtrace. The stack is 16-byte aligned at
; each call, as the ABI has it.
enter:
        cli
        cld
        mov esp, stack_top
        xor ebp, ebp
        sub esp, 8
        push ebx
        push eax
        call x86_start

        mov esp, stack_top
        sub esp, 12
        push eax
        call kmain              ; does not return

section .note.GNU-stack noalloc noexec nowrite progbits
