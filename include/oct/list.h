/* Circular doubly linked lists threaded through their elements. The head is a
 * node of its own, so no operation has a case for the empty list. */
#pragma once

#include <oct/types.h>

struct list {
    struct list *next, *prev;
};

#define LIST_INIT(head)                                                        \
    {                                                                          \
        &(head), &(head)                                                       \
    }

/* Element removal inside the loop: fetch `next` before, or restart. */
#define list_for_each(node, head)                                              \
    for (struct list *node = (head)->next; node != (head); node = node->next)

static inline void list_init(struct list *head)
{
    head->next = head->prev = head;
}

static inline bool list_empty(const struct list *head)
{
    return head->next == head;
}

static inline void list_insert_after(struct list *where, struct list *node)
{
    node->next = where->next;
    node->prev = where;
    where->next->prev = node;
    where->next = node;
}

static inline void list_push(struct list *head, struct list *node)
{
    list_insert_after(head, node);
}

static inline void list_append(struct list *head, struct list *node)
{
    list_insert_after(head->prev, node);
}

/* The node afterwards is a list of its own: removing it twice is harmless. */
static inline void list_remove(struct list *node)
{
    node->prev->next = node->next;
    node->next->prev = node->prev;
    list_init(node);
}
