/* An activation by its table, which begins at -limit. */
static void look_up(int count, const table_entry *table, int32_t limit, int32_t *x)
{
    int i;
    for (i = 0; i < count; i++)
        x[i] = table[x[i] + limit];
}
