#include "emit/port_text.h"

static void name(FILE *f, const ts_port *port)
{
    if (port->part >= 0)
        fprintf(f, "part%d_", port->part);
    fprintf(f, "%s", port->name);
}

static void declare(FILE *f, const char *kind, const ts_port *port, bool columns)
{
    char range[24] = "";
    const bool vector = columns && port->group == TS_PORT_CHAIN;
    if (port->width > 1 || vector)
        snprintf(range, sizeof range, "[%d:0]", port->width - 1);
    fprintf(f, "    %s ", kind);
    if (columns && port->group < TS_PORT_CHAIN)
        fprintf(f, "%-6s ", range);
    else if (*range)
        fprintf(f, "%s ", range);
    name(f, port);
}

void ts_ports_declare(FILE *f, const ts_port_list *list, bool columns, bool more)
{
    for (int i = 0; i < list->count; i++) {
        if (i || more)
            fprintf(f, ",\n");
        declare(f, list->port[i].input ? "input  wire" : "output wire", &list->port[i], columns);
    }
}

void ts_ports_wires(FILE *f, const ts_port_list *list)
{
    for (int i = 0; i < list->count; i++) {
        declare(f, "wire", &list->port[i], false);
        fprintf(f, ";\n");
    }
}

void ts_ports_connect(FILE *f, const ts_port_list *port, const ts_port_list *signal, bool more)
{
    CHECK(port->count == signal->count);
    for (int i = 0; i < port->count; i++) {
        fprintf(f, "%s.", i % 4 ? ", " : i || more ? ",\n        " : "");
        name(f, &port->port[i]);
        fprintf(f, "(");
        name(f, &signal->port[i]);
        fprintf(f, ")");
    }
}
