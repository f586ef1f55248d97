static void add_branch(const int32_t *branch, int32_t *x)
{
    int i;
    for (i = 0; i < ROWS * D; i++)
        x[i] = clamp((int64_t)x[i] + branch[i], -RESIDUAL, RESIDUAL);
}
