/* Traces, written and read: docs/traces.md. A reader trusts nothing. */
#include <oct/string.h>
#include <oct/trace.h>

/* The first byte of a record holds what it is, and the low bits of a number
 * that goes on, if MORE is set, seven bits a byte, the lowest first. */
#define OP_BITS 2
#define OP_MASK 3u
#define FIRST_BITS 5
#define MORE 0x80u
#define MARK 3u /* the op of a record that is no event */

/* A mark's number: its kind in the low bits, its value above. */
#define KIND_BITS 2
#define KIND_MASK 3u
enum mark { MARK_END, MARK_THREAD, MARK_ALIGN };

#define CHECK_START 2166136261u /* FNV-1a, 32 bits */
#define CHECK_PRIME 16777619u
#define CHECK_BYTES 4
#define ALIGN_LOG_MAX 47

static uint32_t check_more(uint32_t check, const uint8_t *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++)
        check = (check ^ bytes[i]) * CHECK_PRIME;
    return check;
}

/* Differences of slots, small ones of either sign as small numbers. */
static uint64_t fold(uint32_t to, uint32_t from)
{
    int64_t difference = (int64_t)to - (int64_t)from;
    return (uint64_t)difference << 1 ^ (uint64_t)(difference >> 63);
}

static uint64_t unfold(uint64_t number, uint32_t from)
{
    return from + (number >> 1 ^ -(number & 1));
}

/* --- writing --- */

struct piece {
    uint8_t bytes[TRACE_HEADER_MAX];
    size_t n;
};

static void add_number(struct piece *p, uint64_t number)
{
    for (; number >= MORE; number >>= 7)
        p->bytes[p->n++] = (uint8_t)(number | MORE);
    p->bytes[p->n++] = (uint8_t)number;
}

static void add_record(struct piece *p, unsigned op, uint64_t number)
{
    uint8_t first = (uint8_t)(op | (number & 0x1f) << OP_BITS);
    number >>= FIRST_BITS;
    p->bytes[p->n++] = number ? (uint8_t)(first | MORE) : first;
    if (number)
        add_number(p, number);
}

static void add_mark(struct piece *p, enum mark mark, uint64_t value)
{
    add_record(p, MARK, value << KIND_BITS | mark);
}

static void put(struct trace_writer *w, const struct piece *p)
{
    w->check = check_more(w->check, p->bytes, p->n);
    w->put(w->context, p->bytes, p->n);
}

void trace_write_header(struct trace_writer *w, const char *name, unsigned word)
{
    struct piece p = {0};
    size_t length = min_size(strlen(name), TRACE_NAME_MAX);
    memcpy(p.bytes, TRACE_MAGIC, TRACE_MAGIC_BYTES);
    p.n = TRACE_MAGIC_BYTES;
    p.bytes[p.n++] = (uint8_t)word;
    p.bytes[p.n++] = (uint8_t)length;
    for (size_t i = 0; i < length; i++)
        p.bytes[p.n++] =
            (uint8_t)(name[i] > ' ' && name[i] < 0x7f ? name[i] : '_');
    w->check = CHECK_START;
    w->events = 0;
    w->last = w->thread = 0;
    put(w, &p);
}

void trace_write(struct trace_writer *w, const struct trace_event *e)
{
    struct piece p = {0};
    if (e->thread != w->thread)
        add_mark(&p, MARK_THREAD, e->thread);
    if (e->op == TRACE_ALLOC && e->align_log)
        add_mark(&p, MARK_ALIGN, e->align_log);
    add_record(&p, e->op,
               e->op == TRACE_ALLOC ? e->size : fold(e->slot, w->last));
    if (e->op == TRACE_RESIZE)
        add_number(&p, e->size);
    w->thread = e->thread;
    w->last = e->op == TRACE_ALLOC ? w->last : e->slot;
    w->events++;
    put(w, &p);
}

void trace_write_end(struct trace_writer *w)
{
    struct piece p = {0};
    add_mark(&p, MARK_END, w->events);
    put(w, &p);
    uint8_t check[CHECK_BYTES];
    for (size_t i = 0; i < CHECK_BYTES; i++)
        check[i] = (uint8_t)(w->check >> 8 * i);
    w->put(w->context, check, CHECK_BYTES);
}

/* --- reading --- */

static bool refuse(struct trace_reader *r, const char *why)
{
    r->wrong = why;
    return false;
}

/* Adds the bits of a number that goes on to *number, whose low `shift` bits are
 * there. */
static bool more_number(struct trace_reader *r, uint64_t *number,
                        unsigned shift)
{
    uint8_t byte;
    do {
        if (r->at == r->end)
            return refuse(r, "ends within a number");
        byte = *r->at++;
        uint64_t bits = byte & ~MORE;
        if (shift > 63 || bits << shift >> shift != bits)
            return refuse(r, "a number of more than 64 bits");
        *number |= bits << shift;
        shift += 7;
    } while (byte & MORE);
    return true;
}

static bool record(struct trace_reader *r, unsigned *op, uint64_t *number)
{
    if (r->at == r->end)
        return refuse(r, "has no end");
    uint8_t first = *r->at++;
    *op = first & OP_MASK;
    *number = (first & ~MORE) >> OP_BITS;
    return !(first & MORE) || more_number(r, number, FIRST_BITS);
}

/* Takes in a mark. False if no event can follow. */
static bool mark(struct trace_reader *r, uint64_t number, struct trace_event *e)
{
    uint64_t value = number >> KIND_BITS;
    if (e->align_log)
        return refuse(r, "an alignment of nothing");
    switch (number & KIND_MASK) {
    case MARK_THREAD:
        r->thread = (uint32_t)value;
        return value < TRACE_THREADS_MAX || refuse(r, "too many threads");
    case MARK_ALIGN:
        e->align_log = (unsigned)value;
        return (value > 0 && value <= ALIGN_LOG_MAX) ||
               refuse(r, "an impossible alignment");
    case MARK_END:
        if (value != r->events)
            refuse(r, "more or fewer events than its end says");
        else if (r->at != r->end)
            refuse(r, "goes on behind its end");
        return false;
    default:
        return refuse(r, "an unknown mark");
    }
}

/* The next event, but for an allocation's slot. */
static bool parse(struct trace_reader *r, struct trace_event *e)
{
    unsigned op;
    uint64_t number;
    *e = (struct trace_event){0};
    while (record(r, &op, &number) && op == MARK)
        if (!mark(r, number, e))
            return false;
    if (r->wrong)
        return false;
    e->op = (enum trace_op)op;
    e->thread = r->thread;
    r->events++;
    if (op == TRACE_ALLOC) {
        e->size = number;
        return true;
    }
    if (e->align_log)
        return refuse(r, "an alignment of nothing");
    uint64_t slot = unfold(number, r->last);
    if (slot >= r->used)
        return refuse(r, "an object that was never allocated");
    r->last = e->slot = (uint32_t)slot;
    return op == TRACE_FREE || more_number(r, &e->size, 0);
}

/* Begins behind the header, whose bytes are there. */
static void start(struct trace_reader *r, const uint8_t *trace, size_t n)
{
    const uint8_t *name_length = trace + TRACE_MAGIC_BYTES + 1;
    *r = (struct trace_reader){.at = name_length + 1 + *name_length,
                               .end = trace + n - CHECK_BYTES,
                               .free = TRACE_NO_SLOT};
}

static const char *check_header(const uint8_t *trace, size_t n,
                                struct trace_facts *facts)
{
    const size_t least = TRACE_MAGIC_BYTES + 2 + CHECK_BYTES;
    const uint8_t *p = trace + TRACE_MAGIC_BYTES;
    if (n < TRACE_MAGIC_BYTES ||
        memcmp(trace, TRACE_MAGIC, TRACE_MAGIC_BYTES) != 0)
        return "no trace of this version";
    if (n < least || n - least < p[1])
        return "cut short";
    uint32_t check = check_more(CHECK_START, trace, n - CHECK_BYTES);
    for (size_t i = 0; i < CHECK_BYTES; i++)
        if (trace[n - CHECK_BYTES + i] != (uint8_t)(check >> 8 * i))
            return "cut short or damaged: its checksum is wrong";
    if ((p[0] != 4 && p[0] != 8) || p[1] > TRACE_NAME_MAX)
        return "an impossible header";
    facts->word = p[0];
    memcpy(facts->name, p + 2, p[1]);
    for (size_t i = 0; i < p[1]; i++)
        if (p[2 + i] <= ' ' || p[2 + i] >= 0x7f)
            return "an impossible header";
    return NULL;
}

const char *trace_check(const void *trace, size_t n, struct trace_facts *facts)
{
    *facts = (struct trace_facts){0};
    const char *wrong = check_header(trace, n, facts);
    if (wrong)
        return wrong;
    struct trace_reader r;
    struct trace_event e;
    uint64_t *const counts[] = {&facts->allocs, &facts->frees, &facts->resizes};
    start(&r, trace, n);
    while (parse(&r, &e)) {
        ++*counts[e.op];
        if (facts->frees > facts->allocs)
            return "frees more than it allocates";
        if (facts->allocs - facts->frees > TRACE_SLOTS_MAX)
            return "too many objects at once";
        if (facts->allocs - facts->frees > r.used)
            r.used++;
        if (e.thread >= facts->threads)
            facts->threads = e.thread + 1;
    }
    facts->slots = r.used;
    facts->events = r.events;
    return r.wrong;
}

void trace_read(struct trace_reader *r, const void *trace, size_t n,
                uint32_t *next, uint32_t slots)
{
    start(r, trace, n);
    r->next = next;
    r->slots = slots;
}

static uint32_t new_slot(struct trace_reader *r)
{
    uint32_t slot = r->free;
    if (slot != TRACE_NO_SLOT)
        r->free = r->next[slot];
    else if (r->used < r->slots)
        slot = r->used++;
    return slot;
}

bool trace_next(struct trace_reader *r, struct trace_event *e)
{
    if (r->wrong || !parse(r, e))
        return false;
    if (e->op == TRACE_ALLOC) {
        e->slot = new_slot(r);
        if (e->slot == TRACE_NO_SLOT)
            return refuse(r, "more objects at once than there is room for");
        r->next[e->slot] = TRACE_LIVE;
    } else if (r->next[e->slot] != TRACE_LIVE) {
        return refuse(r, "an object that is not live");
    } else if (e->op == TRACE_FREE) {
        r->next[e->slot] = r->free;
        r->free = e->slot;
    }
    return true;
}
