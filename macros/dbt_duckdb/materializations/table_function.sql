{#
  A table macro: a view with parameters (`parameters`: one or a list), called with parentheses where it is read. It
  binds its tables when it is called, so a new column upstream needs no new function. Replaced in one statement.
#}
{%- materialization table_function, adapter='duckdb' -%}
  {%- set target_relation = api.Relation.create(database=database, schema=schema, identifier=model['alias'], type='view') -%}
  {%- set parameters = config.get('parameters') or '' -%}

  {%- do run_hooks(pre_hooks, inside_transaction=False) -%}
  {%- do run_hooks(pre_hooks, inside_transaction=True) -%}
  {%- call statement('main') -%}
    create or replace function {{ target_relation.render() }}(
        {{ parameters if parameters is string or parameters is number else parameters | join(', ') }}
      ) as table (
        {{ sql }});
  {%- endcall -%}
  {%- do run_hooks(post_hooks, inside_transaction=True) -%}
  {%- do persist_docs(target_relation, model) -%}
  {%- do adapter.commit() -%}
  {%- do run_hooks(post_hooks, inside_transaction=False) -%}
  {{ return({'relations': [target_relation]}) }}
{%- endmaterialization -%}
