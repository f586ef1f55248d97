/* Operators: one row each in ops.def, one ts_op with all hooks in the operator's file. */
#ifndef TS_OP_H
#define TS_OP_H
#include "graph/graph.h"

/* Kinds, for passes that look for patterns: TS_OP_MatMul, TS_OP_ms_Attention (com.microsoft). */
typedef enum {
#define OP(id, domain, name, since, until) TS_OP_##id,
#include "op/ops.def"
#undef OP
    TS_OP_COUNT
} ts_op_kind;

/* What the hooks of an operator get: tensors with concrete shapes. */
typedef struct ts_op_args {
    const ts_node *node;
    int ins, outs;
    const ts_tensor *const *in; /* [ins], NULL where absent; data NULL where only type and shape are known (infer) */
    ts_tensor *const *out;      /* [outs], never NULL: an unused output is computed all the same */
    ts_err *err;
} ts_op_args;

typedef struct ts_op_hooks {
    int min_in, max_in; /* max -1: any number, all of which must be there; otherwise the first min_in */
    int min_out, max_out;
    /* Optional: checks of attributes when the file is read, beyond what attrs.def says of each. */
    bool (*check)(const ts_node *node, ts_err *err);
    /* Sets dtype, rank and dim of every output; fails on types and shapes that do not fit together. An input whose value is
       needed for that (Reshape's shape) has data, or the hook fails (ts_need_data, op/hook.h). */
    bool (*infer)(const ts_op_args *a);
    /* Fills the outputs, which have their storage (zeroed); runs only after infer succeeded on the same inputs. Results may
       be out of the range of a narrow type: the caller wraps or rounds them (ts_tensor_narrow). */
    bool (*eval)(const ts_op_args *a);
    bool only_shapes; /* eval looks at the shapes of the inputs, not at their values */
    bool passes_on;   /* output 0 is input 0, unchanged */
    bool moves;       /* outputs have elements of input 0 (or, without a second meaning for the others, of all inputs), no new ones */
    /* Optional: products (or comparisons) that eval takes, after infer, where they are many more than elements. */
    double (*work)(const ts_op_args *a);
    /* Optional: fills output 0 with the step between neighbouring values that each element could have; the arguments of eval. */
    bool (*step)(const ts_op_args *a);
} ts_op_hooks;

typedef struct ts_op {
    ts_op_kind kind;
    const char *domain, *name;
    int since, until; /* versions of the domain whose meaning the hooks implement */
    const ts_op_hooks *hooks;
} ts_op;

static inline ts_op_kind ts_kind(const ts_node *node)
{
    return node->op->kind;
}

/* The row, or NULL for an operator that is not known in any version. */
const ts_op *ts_op_find(const char *domain, const char *name);

/* The newest opset of ONNX's own domain that any row implements. */
int ts_op_newest(void);

/* Number of inputs and outputs, attributes against attrs.def, and the hook's own checks. */
bool ts_op_check(const ts_node *node, ts_err *err);

/* The hooks, with their arguments: in[node->ins], NULL where absent; out[node->outs]. ts_op_eval follows a ts_op_infer on the
   same inputs, after which the caller gave every output its storage, and brings integers and casts into the range of their type. */
bool ts_op_infer(const ts_node *node, const ts_tensor *const *in, ts_tensor *const *out, ts_err *err);
bool ts_op_eval(const ts_node *node, const ts_tensor *const *in, ts_tensor *const *out, ts_err *err);
double ts_op_work(const ts_node *node, const ts_tensor *const *in, ts_tensor *const *out); /* products that this eval takes */

/* Least and largest code of a node of QONNX's Quant with so many bits. */
void ts_quant_range(const ts_node *node, double bits, double *low, double *high);

#endif
