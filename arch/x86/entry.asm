; Every trap enters here. All 256 vectors have a stub; the stubs make one shape
; of stack, struct trap_frame (<arch/trap.h>), whatever the CPU pushed.

KERNEL_DATA equ 0x10            ; as in <arch/segments.h>

extern x86_trap, x86_double_fault

section .text

; For these the CPU pushes an error code (SDM 3A, 6.13); for the rest the stub
; pushes 0 in its place.
%define HAS_ERROR(v) ((v) == 8 || ((v) >= 10 && (v) <= 14) || (v) == 17 || \
                      (v) == 21 || (v) == 29 || (v) == 30)

%assign v 0
%rep 256
vector_%+v:
%if !HAS_ERROR(v)
        push dword 0
%endif
        push dword v
        jmp trap_common
%assign v v+1
%endrep

trap_common:
        pushad
        push ds
        push es
        push fs
        push gs
        mov eax, KERNEL_DATA
        mov ds, eax
        mov es, eax
        cld
        mov ebx, esp            ; the frame; survives the call
        push dword [ebx + 56]   ; eip and ebp, as a call would leave them:
        push ebp                ; backtraces go on into the interrupted code
        mov ebp, esp
        push ebx
        call x86_trap
        mov esp, ebx
        pop gs
        pop fs
        pop es
        pop ds
        popad
        add esp, 8              ; vector and error code
        iret

; Begins on a stack of its own, by way of a task gate.
global double_fault_entry
double_fault_entry:
        call x86_double_fault   ; does not return

section .rodata
global vector_stubs
vector_stubs:
%assign v 0
%rep 256
        dd vector_%+v
%assign v v+1
%endrep

section .note.GNU-stack noalloc noexec nowrite progbits
