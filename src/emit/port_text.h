/* Lists of ports (ring/ports.h) as Verilog. */
#ifndef TS_PORT_TEXT_H
#define TS_PORT_TEXT_H
#include <stdio.h>

#include "ring/ports.h"

/* Declarations in a module's header, separated by commas; more: others stand in front of them. columns: the names of a ring's own ports
   stand below each other, and what has a bit a ring or a cut is a vector even with one bit. */
void ts_ports_declare(FILE *f, const ts_port_list *list, bool columns, bool more);

/* Wires of the same names. */
void ts_ports_wires(FILE *f, const ts_port_list *list);

/* Connections of an instance, four a line, each port with the signal in the same place; more: others stand in front of them. */
void ts_ports_connect(FILE *f, const ts_port_list *port, const ts_port_list *signal, bool more);

#endif
