/* The paged part of a ring's top level: its ports, the wires between gates and stages, ts_pager. docs/paging.md. */
#ifndef TS_TOP_PAGES_H
#define TS_TOP_PAGES_H
#include <stdio.h>

#include "ring/pages.h"

/* A port of a ring with pages, beside those of every ring. */
typedef struct ts_page_port {
    const char *name;
    bool input;
    int width;
} ts_page_port;

enum { TS_PAGE_PORTS = 20 };

/* Fills `list` and returns how many there are: none where nothing is paged. */
int ts_page_ports(const ts_plan *plan, const ts_page_order *order, ts_page_port list[TS_PAGE_PORTS]);

/* Their declarations, each behind a comma, named with `prefix`; and their connections, `port` in front of the port's name and `signal` in
   front of the signal's. */
void ts_page_ports_declare(FILE *f, const char *prefix, const ts_plan *plan, const ts_page_order *order);
void ts_page_ports_connect(FILE *f, const char *port, const char *signal, const ts_plan *plan, const ts_page_order *order);

/* The wires between the pager and its stages, in front of all that use them. */
void ts_page_wires(FILE *f, const ts_plan *plan, const ts_page_order *order);

/* Index of a stage among the paged ones, -1: it has all its pages. */
int ts_page_stage_of(const ts_page_order *order, ts_lin_id lin);

/* The pager, where there are stages; in, to: the streams in front of and behind each; fault: its connection. Page errors are in
 * `page_fate`. */
void ts_pager(FILE *f, const ts_plan *plan, const ts_page_order *order, const char *const *in, const char *const *to, const char *fault);

#endif
