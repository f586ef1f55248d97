/* The registers of a board's top, as the rows of board/registers.def have them, and what is printed from them. */
#ifndef TS_REGISTERS_H
#define TS_REGISTERS_H
#include "base/arena.h"
#include "board/board.h"

/* Of the map, not of a build: {major, minor}. */
enum { TS_REGISTER_MAP = 1 << 16, TS_REGISTER_BYTES = 0x1000, TS_REGISTER_MAX = 160, TS_FIELD_MAX = 96 };

/* Where fields are in their registers: TS_AT_STATUS_IDLE ... */
enum {
#define REGISTER(at, id, how, width, source, when, text)
#define FIELD(of, id, lsb, bits, text) TS_AT_##of##_##id = (lsb),
#define COUNTER(at, id, number, text)
#include "board/registers.def"
#undef REGISTER
#undef FIELD
#undef COUNTER
};

typedef enum { TS_REGISTER_CONSTANT, TS_REGISTER_STATUS, TS_REGISTER_CONTROL, TS_REGISTER_COMMAND, TS_REGISTER_STICKY } ts_register_access;

typedef struct ts_register {
    const char *name;
    int address; /* bytes */
    ts_register_access access;
    int bits;
    uint32_t value;     /* of a constant; after reset */
    const char *signal; /* Verilog: where STATUS comes from, what sets STICKY */
    const char *doc;
} ts_register;

typedef struct ts_register_field {
    const char *of, *name;
    int lsb, bits;
    const char *doc;
} ts_register_field;

typedef struct ts_registers {
    int count, fields;
    ts_register list[TS_REGISTER_MAX]; /* by address */
    ts_register_field field[TS_FIELD_MAX];
} ts_registers;

/* Those that the board has. */
const ts_registers *ts_registers_of(ts_arena *arena, const ts_board *board);

/* "read only", "read, write" ... */
const char *ts_register_access_name(ts_register_access access);

/* The port of module <top>_registers that the register has, or NULL. */
const char *ts_register_port(ts_arena *arena, const ts_register *reg);

/* ---- Printed, each a whole file */

const char *ts_registers_verilog(ts_arena *arena, const ts_board *board, const ts_registers *registers); /* module <top>_registers */
const char *ts_registers_c(ts_arena *arena, const ts_board *board, const ts_registers *registers);       /* header, C and C++ */
const char *ts_registers_python(ts_arena *arena, const ts_board *board, const ts_registers *registers);  /* module of constants */
const char *ts_registers_vh(ts_arena *arena, const ts_registers *registers);                             /* for the test bench */
const char *ts_registers_ipbus(ts_arena *arena, const ts_board *board, const ts_registers *registers);   /* uHAL address table */
const char *ts_registers_page(ts_arena *arena, const ts_board *board, const ts_registers *registers);    /* Markdown */

#endif
