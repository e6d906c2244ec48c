/* SPDX-License-Identifier: MIT
 *
 * Calls every exported function with good and bad arguments. generate.py writes, from include/tuntap.h, a table of
 * the functions and their parameters; values.c and handles.c make the arguments; main.c calls, and judges. */
#ifndef API_H
#define API_H

#include "../c/packet.h"

#include <limits.h>
#include <stdbool.h>

enum { PARAMETERS_MAX = 8 };

/** What memory has before a call that is to write to it, or not. */
enum { CANARY = 0x5a };

/** Memory of more bytes than this is not given, only promised. */
enum { MEMORY_MAX = 1 << 22 };

struct parameter;

/** One argument of a call. */
struct argument {
    /** For the report. */
    const char *says;
    /** Numbers and descriptors. */
    uint64_t number;
    /** All else, and how many bytes are there. */
    void *pointer;
    size_t bytes;
    /** What is freed after the call. */
    void *memory;
};

/** What a parameter of some type can be given: value 0 is a good one; only the first few meet those of others. */
struct kind {
    int values, pairs;
    /** Makes an argument. Those that say how much memory there is are made before those that are memory. */
    void (*make)(struct argument *made, const struct parameter *parameter, int value, const struct argument *all);
    enum { IN, OUT, OUT_UNDEFINED } way;
};

struct parameter {
    const char *name;
    const struct kind *kind;
    /** A good text, and a good number. */
    const char *text;
    uint64_t number;
    /** Bytes of an element, and which parameters say how many elements there are and how large; -1: none does. */
    size_t unit;
    int count, size;
    /** NULL is refused; it is written after a failure too. */
    bool needed, always;
    /** Frees the object that the function made. */
    void (*release)(void *object);
};

struct function {
    const char *name;
    long (*call)(const struct argument *arguments);
    enum { NOTHING, ZERO, COUNT, SIZE } returns;
    /** It may change the device that is its first argument; or frees it, where it succeeds. */
    bool changes, frees;
    int parameters;
    struct parameter parameter[PARAMETERS_MAX];
    /** The errnos of its reference, up to a 0; and whether it leaves others open ("..."). */
    int documented[40];
    bool open;
};

extern const struct function functions[];
extern const int functions_count;

extern const struct kind text_kind, text_out_kind, memory_in_kind, memory_kind, struct_in_kind, struct_out_kind,
    bytes_in_kind, bytes_out_kind, filter_kind, vectors_kind, packets_kind, places_kind, scalar_out_kind, object_out_kind,
    error_kind, fd_kind, fd_out_kind, int_kind, int32_kind, uint32_kind, uint64_kind, size_kind;

extern const struct kind tuntap_kind, tuntap_config_kind, tuntap_reader_kind, tuntap_writer_kind,
    tuntap_splitter_kind, tuntap_joiner_kind, tuntap_monitor_kind;

/** Elements that a number is for: its place in an array, and the number of them. */
#define LENGTH(array) ((int)(sizeof(array) / sizeof *(array)))

/** An IPv4 packet of that many bytes; fewer than its headers have are cut. */
void packet_of(uint8_t *packet, size_t size);

/** Gives the devices what good calls need: a packet to read and, where one was changed, an address and a route. */
void restore_handles(const void *changed);
/** A persistent device named "idle", of which nobody has a handle. */
void make_idle_device(void);
/** The function has freed what it was given. */
void forget_handle(const void *handle);
void close_handles(void);
/** Ends what waits, from time to time. */
void interrupt_waits(void);
/** Another network namespace. */
int other_namespace(void);

#endif
