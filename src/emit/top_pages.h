/* The paged part of a ring's top level: the wires between gates and stages, ts_pager. docs/paging.md. */
#ifndef TS_TOP_PAGES_H
#define TS_TOP_PAGES_H
#include <stdio.h>

#include "ring/pages.h"

/* The wires between the pager and its stages, in front of all that use them. */
void ts_page_wires(FILE *f, const ts_plan *plan, const ts_page_order *order);

/* Index of a stage among the paged ones, -1: it has all its pages. */
int ts_page_stage_of(const ts_page_order *order, ts_lin_id lin);

/* The pager, where there are stages; in, to: the streams in front of and behind each; fault: its connection. Page errors are in
 * `page_fate`. */
void ts_pager(FILE *f, const ts_plan *plan, const ts_page_order *order, const char *const *in, const char *const *to, const char *fault);

#endif
