/* SPDX-License-Identifier: MIT
 *
 * Calls every exported function with good and bad arguments. generate.py writes a table of the functions and their
 * parameters from include/tuntap.h, values.c and handles.c make the arguments, and main.c calls and checks. */
#ifndef API_H
#define API_H

#include "../c/packet.h"

#include <limits.h>
#include <stdbool.h>

enum { PARAMETERS_MAX = 8 };

/** The bytes of an output before a call. */
enum { CANARY = 0x5a };

/** If a call promises more memory than this, it gets less. */
enum { MEMORY_MAX = 1 << 22 };

struct parameter;

/** One argument of a call. */
struct argument {
    /** The text for the report. */
    const char *says;
    /** Numbers and descriptors. */
    uint64_t number;
    /** All other arguments, and the number of bytes there. */
    void *pointer;
    size_t bytes;
    /** The memory that is freed after the call. */
    void *memory;
};

/** The values for a type of parameters. Value 0 is a good one. Only the first few are combined with those of others. */
struct kind {
    int values, pairs;
    /** Makes an argument. Arguments for sizes are made before arguments for memory. */
    void (*make)(struct argument *made, const struct parameter *parameter, int value, const struct argument *all);
    enum { IN, OUT, OUT_UNDEFINED } way;
};

struct parameter {
    const char *name;
    const struct kind *kind;
    /** A good text, and a good number. */
    const char *text;
    uint64_t number;
    /** The size of an element, and the parameters for the number and the size of elements, or -1 if there is none. */
    size_t unit;
    int count, size;
    /** NULL is refused. The function writes to the memory also after a failure. */
    bool nonnull, written_after_failure;
    /** Frees the object that the function made. */
    void (*release)(void *object);
};

struct function {
    const char *name;
    long (*call)(const struct argument *arguments);
    enum { NOTHING, ZERO, COUNT, SIZE } returns;
    /** The function may change the device in its first argument, or frees the argument if it succeeds. */
    bool changes, frees;
    int parameters;
    struct parameter parameter[PARAMETERS_MAX];
    /** The errnos in its reference, up to a 0, and whether it allows others ("..."). */
    int documented[40];
    bool open;
};

extern const struct function functions[];
extern const int functions_count;

extern const struct kind text_kind, text_out_kind, memory_in_kind, memory_kind, struct_in_kind, struct_out_kind,
    bytes_in_kind, bytes_out_kind, filter_kind, vectors_kind, packets_kind, buffers_kind, scalar_out_kind,
    object_out_kind, error_kind, fd_kind, fd_out_kind, int_kind, int32_kind, uint32_kind, uint64_kind, size_kind;

extern const struct kind tuntap_kind, tuntap_config_kind, tuntap_reader_kind, tuntap_writer_kind,
    tuntap_splitter_kind, tuntap_joiner_kind, tuntap_monitor_kind;

/** The number of elements of an array. */
#define LENGTH(array) ((int)(sizeof(array) / sizeof *(array)))

/** Writes an IPv4 packet of this size. If the size is less than the headers, the packet is truncated. */
void packet_of(uint8_t *packet, size_t size);

/** Gives the devices what good calls need: a packet to read, and the settings of a device that was changed. */
void restore_handles(const void *changed);
/** Makes a persistent device named "idle" without a handle. */
void make_idle_device(void);
/** Forgets a handle that the function has freed. */
void forget_handle(const void *handle);
void close_handles(void);
/** From now on, a signal handler ends calls that wait. */
void interrupt_waits(void);
/** Returns a descriptor of another network namespace. */
int other_namespace(void);

#endif
