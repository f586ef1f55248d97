/* component.xml: the top as IEEE Std 1685-2009 (IP-XACT) describes components, with the names of busses and file types, and the extensions,
   that Vivado reads (UG1118, UG994). Order of elements: the standard's. */
#include <ctype.h>
#include <string.h>

#include "base/text.h"
#include "board/package_target.h"
#include "board/platform.h"
#include "board/xml.h"

#define SYNTHESIS "xilinx_anylanguagesynthesis"
#define SIMULATION "xilinx_anylanguagebehavioralsimulation"
#define IMPLEMENTATION "xilinx_implementation"
#define INTERFACE "xilinx_xpgui"
#define BLOCK "registers" /* the address block */

typedef struct component {
    ts_xml x;
    const ts_packing *p;
    const ts_board *b;
    ts_arena *arena;
} component;

static const char *upper(ts_arena *arena, const char *name)
{
    char *t = ts_strdup(arena, name);
    for (char *p = t; *p; p++)
        *p = (char)toupper((unsigned char)*p);
    return t;
}

/* ---- Interfaces */

static void port_map(component *c, const char *logical, const char *physical)
{
    ts_xml *x = &c->x;
    ts_xml_open(x, "portMap", "");
    ts_xml_open(x, "logicalPort", "");
    ts_xml_text(x, "name", logical);
    ts_xml_close(x, "logicalPort");
    ts_xml_open(x, "physicalPort", "");
    ts_xml_text(x, "name", physical);
    ts_xml_close(x, "physicalPort");
    ts_xml_close(x, "portMap");
}

static void bus_types(component *c, const char *library, const char *name)
{
    static const char *const elements[] = {"busType", "abstractionType"}, *const ends[] = {"", "_rtl"};
    for (int i = 0; i < 2; i++)
        ts_xml_empty(&c->x, elements[i],
                     ts_printf(c->arena, " spirit:vendor=\"xilinx.com\" spirit:library=\"%s\" spirit:name=\"%s%s\" spirit:version=\"1.0\"",
                               library, name, ends[i]));
}

static void parameter(component *c, const char *of, const char *name, const char *value)
{
    ts_xml *x = &c->x;
    ts_xml_open(x, "parameter", "");
    ts_xml_text(x, "name", name);
    ts_xml_leaf(x, "value", ts_printf(c->arena, " spirit:id=\"BUSIFPARAM_VALUE.%s.%s\"", upper(c->arena, of), name), value);
    ts_xml_close(x, "parameter");
}

static const char *protocol(const ts_bus *bus)
{
    return bus->kind == TS_BUS_CONTROL ? "AXI4LITE" : bus->kind == TS_BUS_PAGES ? "AXI4" : NULL;
}

static void side(component *c, const ts_bus *bus)
{
    ts_xml *x = &c->x;
    const char *element = bus->master ? "master" : "slave";
    if (!protocol(bus)) {
        ts_xml_empty(x, element, "");
        return;
    }
    ts_xml_open(x, element, "");
    if (bus->master)
        ts_xml_empty(x, "addressSpaceRef", ts_printf(c->arena, " spirit:addressSpaceRef=\"%s\"", bus->name));
    else
        ts_xml_empty(x, "memoryMapRef", ts_printf(c->arena, " spirit:memoryMapRef=\"%s\"", bus->name));
    ts_xml_close(x, element);
}

static void bus_interface(component *c, const ts_bus *bus)
{
    ts_xml *x = &c->x;
    ts_bus_signal signal[TS_BUS_SIGNALS_MAX];
    const int signals = ts_bus_signals(bus, signal);
    ts_xml_open(x, "busInterface", "");
    ts_xml_text(x, "name", bus->name);
    bus_types(c, "interface", protocol(bus) ? "aximm" : "axis");
    side(c, bus);
    ts_xml_open(x, "portMaps", "");
    for (int i = 0; i < signals; i++)
        port_map(c, upper(c->arena, signal[i].name), ts_printf(c->arena, "%s_%s", bus->name, signal[i].name));
    ts_xml_close(x, "portMaps");
    ts_xml_open(x, "parameters", "");
    if (protocol(bus)) {
        parameter(c, bus->name, "PROTOCOL", protocol(bus));
        parameter(c, bus->name, "DATA_WIDTH", ts_printf(c->arena, "%d", bus->data_bits));
        parameter(c, bus->name, "ADDR_WIDTH", ts_printf(c->arena, "%d", bus->address_bits));
        parameter(c, bus->name, "READ_WRITE_MODE", bus->kind == TS_BUS_PAGES ? "READ_ONLY" : "READ_WRITE");
    } else {
        parameter(c, bus->name, "TDATA_NUM_BYTES", ts_printf(c->arena, "%d", bus->data_bits / 8));
        for (int i = 0; i < signals; i++)
            if (strcmp(signal[i].name, "tuser") == 0)
                parameter(c, bus->name, "TUSER_WIDTH", ts_printf(c->arena, "%d", signal[i].bits));
    }
    ts_xml_close(x, "parameters");
    ts_xml_close(x, "busInterface");
}

/* An interface of one signal. */
static void signal_open(component *c, const char *name, const char *type, const char *logical, bool master)
{
    ts_xml *x = &c->x;
    ts_xml_open(x, "busInterface", "");
    ts_xml_text(x, "name", name);
    bus_types(c, "signal", type);
    ts_xml_empty(x, master ? "master" : "slave", "");
    ts_xml_open(x, "portMaps", "");
    port_map(c, logical, name);
    ts_xml_close(x, "portMaps");
    ts_xml_open(x, "parameters", "");
}

static void signal_close(component *c)
{
    ts_xml_close(&c->x, "parameters");
    ts_xml_close(&c->x, "busInterface");
}

/* "s_axi_control:s_axis_hits" */
static const char *buses_of(ts_arena *arena, const ts_board *b, int clock)
{
    const char *list = "";
    for (int i = 0; i < b->buses; i++)
        if (b->bus[i].clock == clock)
            list = ts_printf(arena, "%s%s%s", list, *list ? ":" : "", b->bus[i].name);
    return list;
}

/* A clock's rate is that of the design around, which makes it as nearly as it can: any is taken. */
static void bus_interfaces(component *c)
{
    const ts_board *b = c->b;
    ts_xml_open(&c->x, "busInterfaces", "");
    for (int i = 0; i < b->buses; i++)
        bus_interface(c, &b->bus[i]);
    for (int i = 0; i < b->clocks; i++) {
        const char *name = b->clock[i].name, *buses = buses_of(c->arena, b, i);
        signal_open(c, name, "clock", "CLK", false);
        if (*buses)
            parameter(c, name, "ASSOCIATED_BUSIF", buses);
        if (i == TS_CLOCK_BUS)
            parameter(c, name, "ASSOCIATED_RESET", "aresetn");
        parameter(c, name, "FREQ_TOLERANCE_HZ", "-1");
        signal_close(c);
    }
    signal_open(c, "aresetn", "reset", "RST", false);
    parameter(c, "aresetn", "POLARITY", "ACTIVE_LOW");
    signal_close(c);
    signal_open(c, "interrupt", "interrupt", "INTERRUPT", true);
    parameter(c, "interrupt", "SENSITIVITY", "LEVEL_HIGH");
    signal_close(c);
    ts_xml_close(&c->x, "busInterfaces");
}

/* ---- Memory */

static void address_spaces(component *c)
{
    ts_xml *x = &c->x;
    bool any = false;
    for (int i = 0; i < c->b->buses; i++) {
        const ts_bus *bus = &c->b->bus[i];
        if (!bus->master || !protocol(bus))
            continue;
        if (!any)
            ts_xml_open(x, "addressSpaces", "");
        any = true;
        ts_xml_open(x, "addressSpace", "");
        ts_xml_text(x, "name", bus->name);
        ts_xml_number(x, "range", 1LL << bus->address_bits);
        ts_xml_number(x, "width", bus->data_bits);
        ts_xml_close(x, "addressSpace");
    }
    if (any)
        ts_xml_close(x, "addressSpaces");
}

static const char *access_of(const ts_register *g)
{
    switch (g->access) {
    case TS_REGISTER_CONSTANT:
    case TS_REGISTER_STATUS:
        return "read-only";
    case TS_REGISTER_COMMAND:
        return "write-only";
    case TS_REGISTER_CONTROL:
    case TS_REGISTER_STICKY:
        return "read-write";
    }
    BUG("no such access");
}

static bool moves(const ts_register *g)
{
    return g->access == TS_REGISTER_STATUS || g->access == TS_REGISTER_STICKY;
}

static void field(component *c, const ts_register *g, const char *name, const char *doc, int lsb, int bits)
{
    ts_xml *x = &c->x;
    ts_xml_open(x, "field", "");
    ts_xml_text(x, "name", name);
    ts_xml_text(x, "description", doc);
    ts_xml_number(x, "bitOffset", lsb);
    ts_xml_number(x, "bitWidth", bits);
    ts_xml_text(x, "volatile", moves(g) ? "true" : "false");
    ts_xml_text(x, "access", access_of(g));
    if (g->access == TS_REGISTER_STICKY)
        ts_xml_text(x, "modifiedWriteValue", "oneToClear");
    ts_xml_close(x, "field");
}

/* One without fields has one, of its own name. */
static void register_of(component *c, const ts_registers *r, const ts_register *g)
{
    ts_xml *x = &c->x;
    ts_xml_open(x, "register", "");
    ts_xml_text(x, "name", g->name);
    ts_xml_text(x, "description", g->doc);
    ts_xml_text(x, "addressOffset", ts_printf(c->arena, "0x%03X", g->address));
    ts_xml_number(x, "size", 32);
    ts_xml_text(x, "volatile", moves(g) ? "true" : "false");
    ts_xml_text(x, "access", access_of(g));
    if (!moves(g)) {
        ts_xml_open(x, "reset", "");
        ts_xml_text(x, "value", ts_printf(c->arena, "0x%X", g->value));
        ts_xml_text(x, "mask", "0xFFFFFFFF");
        ts_xml_close(x, "reset");
    }
    bool any = false;
    for (int i = 0; i < r->fields; i++)
        if (strcmp(r->field[i].of, g->name) == 0) {
            any = true;
            field(c, g, r->field[i].name, r->field[i].doc, r->field[i].lsb, r->field[i].bits);
        }
    if (!any)
        field(c, g, g->name, g->doc, 0, g->bits);
    ts_xml_close(x, "register");
}

static void memory_maps(component *c)
{
    ts_xml *x = &c->x;
    const ts_registers *r = c->p->registers;
    ts_xml_open(x, "memoryMaps", "");
    for (int i = 0; i < c->b->buses; i++) {
        if (c->b->bus[i].kind != TS_BUS_CONTROL)
            continue;
        ts_xml_open(x, "memoryMap", "");
        ts_xml_text(x, "name", c->b->bus[i].name);
        ts_xml_open(x, "addressBlock", "");
        ts_xml_text(x, "name", BLOCK);
        ts_xml_text(x, "baseAddress", "0x0");
        ts_xml_number(x, "range", TS_REGISTER_BYTES);
        ts_xml_number(x, "width", 32);
        ts_xml_text(x, "usage", "register");
        for (int k = 0; k < r->count; k++)
            register_of(c, r, &r->list[k]);
        ts_xml_close(x, "addressBlock");
        ts_xml_close(x, "memoryMap");
    }
    ts_xml_close(x, "memoryMaps");
}

/* ---- Model */

static void view(component *c, const char *name, const char *title, const char *what, bool verilog)
{
    ts_xml *x = &c->x;
    ts_xml_open(x, "view", "");
    ts_xml_text(x, "name", name);
    ts_xml_text(x, "displayName", title);
    ts_xml_text(x, "envIdentifier", what);
    if (verilog) {
        ts_xml_text(x, "language", "Verilog");
        ts_xml_text(x, "modelName", c->b->top);
    }
    ts_xml_open(x, "fileSetRef", "");
    ts_xml_text(x, "localName", ts_printf(c->arena, "%s_view_fileset", name));
    ts_xml_close(x, "fileSetRef");
    ts_xml_close(x, "view");
}

static void port(component *c, const char *name, bool output, int bits)
{
    ts_xml *x = &c->x;
    ts_xml_open(x, "port", "");
    ts_xml_text(x, "name", name);
    ts_xml_open(x, "wire", "");
    ts_xml_text(x, "direction", output ? "out" : "in");
    if (bits > 1) {
        ts_xml_open(x, "vector", "");
        ts_xml_number(x, "left", bits - 1);
        ts_xml_number(x, "right", 0);
        ts_xml_close(x, "vector");
    }
    ts_xml_open(x, "wireTypeDefs", "");
    ts_xml_open(x, "wireTypeDef", "");
    ts_xml_text(x, "typeName", "wire");
    ts_xml_text(x, "viewNameRef", SYNTHESIS);
    ts_xml_text(x, "viewNameRef", SIMULATION);
    ts_xml_close(x, "wireTypeDef");
    ts_xml_close(x, "wireTypeDefs");
    ts_xml_close(x, "wire");
    ts_xml_close(x, "port");
}

static void model(component *c)
{
    ts_xml *x = &c->x;
    const ts_board *b = c->b;
    ts_xml_open(x, "model", "");
    ts_xml_open(x, "views", "");
    view(c, SYNTHESIS, "Synthesis", ":vivado.xilinx.com:synthesis", true);
    view(c, SIMULATION, "Simulation", ":vivado.xilinx.com:simulation", true);
    view(c, IMPLEMENTATION, "Implementation", ":vivado.xilinx.com:implementation", false);
    view(c, INTERFACE, "UI Layout", ":vivado.xilinx.com:xgui.ui", false);
    ts_xml_close(x, "views");
    ts_xml_open(x, "ports", "");
    for (int i = 0; i < b->clocks; i++)
        port(c, b->clock[i].name, false, 1);
    port(c, "aresetn", false, 1);
    for (int n = 0; n < b->links; n++)
        port(c, ts_printf(c->arena, "link%d_up", n), false, 1);
    port(c, "interrupt", true, 1);
    for (int i = 0; i < b->buses; i++) {
        ts_bus_signal signal[TS_BUS_SIGNALS_MAX];
        const int signals = ts_bus_signals(&b->bus[i], signal);
        for (int k = 0; k < signals; k++)
            port(c, ts_printf(c->arena, "%s_%s", b->bus[i].name, signal[k].name), signal[k].output, signal[k].bits);
    }
    ts_xml_close(x, "ports");
    if (ts_platform_images(b)) {
        ts_xml_open(x, "modelParameters", "");
        ts_xml_open(x, "modelParameter", " xsi:type=\"spirit:nameValueTypeType\" spirit:dataType=\"string\"");
        ts_xml_text(x, "name", "MEM");
        ts_xml_text(x, "displayName", "Memory images");
        ts_xml_leaf(x, "value", " spirit:resolve=\"generated\" spirit:id=\"MODELPARAM_VALUE.MEM\"", ts_platform_images(b));
        ts_xml_close(x, "modelParameter");
        ts_xml_close(x, "modelParameters");
    }
    ts_xml_close(x, "model");
}

/* ---- Files */

/* Files of the package that are of one kind: below a folder, with an ending, and with these types (userFileType behind '+'). */
typedef struct kind {
    const char *folder, *end, *types[5];
} kind;

typedef struct set {
    const char *name; /* of the view that has it, or its own */
    kind kinds[2];
} set;

static const set sets[] = {
    /* The clocks are for synthesis of the component alone: a design around it has them already. */
    {SYNTHESIS "_view_fileset",
     {{"rtl/", ".v", {"verilogSource"}},
      {"vivado/clocks.xdc", "", {"+xdc", "+USED_IN_synthesis", "+USED_IN_implementation", "+USED_IN_out_of_context"}}}},
    {SIMULATION "_view_fileset", {{"rtl/", ".v", {"verilogSource"}}}},
    {IMPLEMENTATION "_view_fileset", {{"rtl/", ".xdc.tcl", {"tclSource", "+USED_IN_implementation"}}}},
    {INTERFACE "_view_fileset", {{"xgui/", ".tcl", {"tclSource", "+XGUI_VERSION_2"}}}},
    {"bench", {{"tb/", ".v", {"verilogSource"}}, {"tb/", ".vh", {"verilogSource"}}}},
    {"images", {{"", ".hex", {"unknown"}}, {"", ".bin", {"unknown"}}}},
};

typedef struct lister {
    component *c;
    const kind *kind;
} lister;

static void file(void *user, const char *name)
{
    const lister *l = user;
    ts_xml *x = &l->c->x;
    const size_t n = strlen(name), e = strlen(l->kind->end);
    if (n < e || strcmp(name + n - e, l->kind->end) != 0)
        return;
    ts_xml_open(x, "file", "");
    ts_xml_text(x, "name", name);
    for (const char *const *type = l->kind->types; *type; type++)
        ts_xml_text(x, **type == '+' ? "userFileType" : "fileType", *type + (**type == '+'));
    if (strcmp(l->kind->end, ".vh") == 0)
        ts_xml_text(x, "isIncludeFile", "true");
    ts_xml_close(x, "file");
}

static bool file_sets(component *c)
{
    bool ok = true;
    ts_xml_open(&c->x, "fileSets", "");
    for (size_t i = 0; i < sizeof sets / sizeof *sets; i++) {
        ts_xml_open(&c->x, "fileSet", "");
        ts_xml_text(&c->x, "name", sets[i].name);
        for (int k = 0; k < 2 && sets[i].kinds[k].folder; k++)
            ok = ok && ts_packing_files(c->p, sets[i].kinds[k].folder, file, &(lister){c, &sets[i].kinds[k]});
        ts_xml_close(&c->x, "fileSet");
    }
    ts_xml_close(&c->x, "fileSets");
    return ok;
}

/* ---- The rest */

static void user_parameter(component *c, const char *name, const char *value)
{
    ts_xml *x = &c->x;
    ts_xml_open(x, "parameter", "");
    ts_xml_text(x, "name", name);
    ts_xml_leaf(x, "value", ts_printf(c->arena, " spirit:resolve=\"user\" spirit:id=\"PARAM_VALUE.%s\"", name), value);
    ts_xml_close(x, "parameter");
}

/* Vivado offers a component only for the families that it names. */
static void extensions(component *c)
{
    static const char *const families[] = {"zynq",      "artix7",      "kintex7",     "virtex7",        "kintexu",        "virtexu",
                                           "zynquplus", "kintexuplus", "virtexuplus", "virtexuplusHBM", "virtexuplus58g", "artixuplus"};
    ts_xml_open(&c->x, "vendorExtensions", "");
    ts_xml x = c->x;
    x.prefix = "xilinx:";
    ts_xml_open(&x, "coreExtensions", "");
    ts_xml_open(&x, "supportedFamilies", "");
    for (size_t i = 0; i < sizeof families / sizeof *families; i++)
        ts_xml_leaf(&x, "family", " xilinx:lifeCycle=\"Pre-Production\"", families[i]);
    ts_xml_close(&x, "supportedFamilies");
    ts_xml_open(&x, "taxonomies", "");
    ts_xml_text(&x, "taxonomy", "/Tessera");
    ts_xml_close(&x, "taxonomies");
    ts_xml_text(&x, "displayName", c->b->top);
    ts_xml_text(&x, "definitionSource", "package_project");
    ts_xml_number(&x, "coreRevision", 1);
    ts_xml_close(&x, "coreExtensions");
    ts_xml_close(&c->x, "vendorExtensions");
}

/* What shows the parameters, and takes them over into the model's. */
static const char *interface_tcl(const ts_packing *p)
{
    return ts_printf(p->arena,
                     "# Parameters of %s in Vivado. Made by tessera.\n"
                     "proc init_gui { IPINST } {\n"
                     "    ipgui::add_param $IPINST -name \"Component_Name\"\n%s}\n%s",
                     p->board->top, ts_platform_images(p->board) ? "    ipgui::add_param $IPINST -name \"MEM\"\n" : "",
                     ts_platform_images(p->board)
                         ? "proc update_PARAM_VALUE.MEM { PARAM_VALUE.MEM } {}\n"
                           "proc validate_PARAM_VALUE.MEM { PARAM_VALUE.MEM } { return true }\n"
                           "proc update_MODELPARAM_VALUE.MEM { MODELPARAM_VALUE.MEM PARAM_VALUE.MEM } {\n"
                           "    set_property value [get_property value ${PARAM_VALUE.MEM}] ${MODELPARAM_VALUE.MEM}\n}\n"
                         : "");
}

bool ts_package_put_component(const ts_packing *p)
{
    ts_text text;
    if (!ts_packing_text(p, ts_printf(p->arena, "xgui/%s_v0_1.tcl", p->board->top), interface_tcl(p)))
        return false;
    component c = {{ts_text_open(&text), "spirit:", 0}, p, p->board, p->arena};
    ts_xml *x = &c.x;
    fprintf(x->f, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    ts_xml_open(x, "component",
                " xmlns:xilinx=\"http://www.xilinx.com\" xmlns:spirit=\"http://www.spiritconsortium.org/XMLSchema/SPIRIT/1685-2009\" "
                "xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"");
    ts_xml_text(x, "vendor", "tessera");
    ts_xml_text(x, "library", "engines");
    ts_xml_text(x, "name", p->board->top);
    ts_xml_text(x, "version", "0.1");
    bus_interfaces(&c);
    address_spaces(&c);
    memory_maps(&c);
    model(&c);
    const bool ok = file_sets(&c);
    ts_xml_text(x, "description", ts_printf(p->arena, "%s on a board. Made by tessera.", p->board->system->im->name));
    ts_xml_open(x, "parameters", "");
    user_parameter(&c, "Component_Name", ts_printf(p->arena, "%s_v0_1", p->board->top));
    if (ts_platform_images(p->board))
        user_parameter(&c, "MEM", ts_platform_images(p->board));
    ts_xml_close(x, "parameters");
    extensions(&c);
    ts_xml_close(x, "component");
    const char *whole = ts_text_close(&text, p->arena);
    return ok && ts_packing_text(p, "component.xml", whole);
}
