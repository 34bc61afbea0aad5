{# Creating tables and views. #}

{# As the macro of that name in `dbt`, with the two DuckLake clauses that only this adapter's materializations pass. #}
{% macro create_table_as(temporary, relation, compiled_code, language='sql', partitioned_by=none, sorted_by=none) -%}
  {{ return(adapter.dispatch('create_table_as', 'dbt')(
    temporary, relation, compiled_code, language, partitioned_by=partitioned_by, sorted_by=sorted_by
  )) }}
{%- endmacro %}

{#
  With a contract the table is declared first and filled after, since `create table as` takes no constraints (and a
  temporary table has none). Partitioning and sorting also need a table to be declared on, before its rows.
#}
{% macro duckdb__create_table_as(temporary, relation, compiled_code, language='sql', partitioned_by=none, sorted_by=none) -%}
  {%- if language == 'python' -%}
    {{ py_write_table(temporary=temporary, relation=relation, compiled_code=compiled_code, partitioned_by=partitioned_by, sorted_by=sorted_by) }}
  {%- elif language != 'sql' -%}
    {%- do exceptions.raise_compiler_error('duckdb__create_table_as: no such language: ' ~ language) -%}
  {%- else -%}
    {%- set contracted = config.get('contract').enforced -%}
    {%- if contracted -%}
      {{ get_assert_columns_equivalent(compiled_code) }}
    {%- endif -%}
    {{ config.get('sql_header', none) or '' }}
    create {{ 'temporary ' if temporary }}table
      {{ relation.include(database=(not temporary), schema=(not temporary)) }}
    {% if contracted and not temporary -%}
      {{ get_table_columns_and_constraints() }} ;
      {{ _duckdb_table_layout(relation, partitioned_by, sorted_by) }}
      insert into {{ relation }} {{ get_column_names() }} (
        {{ get_select_subquery(compiled_code) }}
      );
    {%- elif partitioned_by or sorted_by -%}
      as (
        select * from (
          {{ compiled_code }}
        ) as model_subq
        limit 0
      );
      {{ _duckdb_table_layout(relation, partitioned_by, sorted_by) }}
      insert into {{ relation }}
        select * from (
          {{ compiled_code }}
        ) as model_subq;
    {%- else -%}
      as (
        {{ compiled_code }}
      );
    {%- endif -%}
  {%- endif -%}
{% endmacro %}

{%- macro _duckdb_table_layout(relation, partitioned_by, sorted_by) -%}
  {{ duckdb__alter_table_set_partitioned_by(relation, partitioned_by) if partitioned_by }}
  {{ duckdb__alter_table_set_sorted_by(relation, sorted_by) if sorted_by }}
{%- endmacro -%}

{# The documented columns as the list of an insert, parentheses and all. #}
{% macro get_column_names() %}
  (
    {% for column in model['columns'].values() -%}
      {{ adapter.quote(column['name']) if column.get('quote') else column['name'] }}{{ ', ' if not loop.last }}
    {%- endfor %}
  )
{% endmacro %}

{% macro duckdb__create_view_as(relation, sql) -%}
  {%- if config.get('contract').enforced -%}
    {{ get_assert_columns_equivalent(sql) }}
  {%- endif -%}
  {{ config.get('sql_header', none) or '' }}
  create view {{ relation }} as (
    {{ sql }}
  );
{% endmacro %}


{# The `materialize` function that the runner of Python models calls with what the model returned. #}
{% macro py_write_table(temporary, relation, compiled_code, partitioned_by=none, sorted_by=none) -%}
{{ compiled_code }}

def materialize(df, con):
    try:
        # Datasets register only once this submodule is loaded.
        import pyarrow.dataset
    except ImportError:
        pass
    source = '__dbt_python_model_df_{{ relation.identifier }}'
    con.register(source, df)
    {% if partitioned_by or sorted_by -%}
    con.execute('create table {{ relation }} as select * from ' + source + ' limit 0')
    {% if partitioned_by -%}
    con.execute('alter table {{ relation }} set partitioned by ({{ partitioned_by }})')
    {% endif -%}
    {% if sorted_by -%}
    con.execute('alter table {{ relation }} set sorted by ({{ sorted_by }})')
    {% endif -%}
    con.execute('insert into {{ relation }} select * from ' + source)
    {%- else -%}
    con.execute('create table {{ relation }} as select * from ' + source)
    {%- endif %}
    con.unregister(source)
{% endmacro %}
