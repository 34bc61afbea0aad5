{#
  Everything a macro sends to the warehouse goes through `statement`: the text of the call block is the
  statement, and `name` is where `load_result` finds the answer later. The one named "main" is the node's own,
  so its text is also written below the target folder.
#}
{%- macro statement(name=None, fetch_result=False, auto_begin=True, language='sql') -%}
  {%- if execute -%}
    {%- set code = caller() -%}
    {%- if name == 'main' -%}
      {%- do log('Running the ' ~ language ~ ' of ' ~ model['unique_id']) -%}
      {%- do write(code) -%}
    {%- endif -%}

    {%- if language == 'sql' -%}
      {%- set response, rows = adapter.execute(code, auto_begin=auto_begin, fetch=fetch_result) -%}
    {%- elif language == 'python' -%}
      {%- set response = submit_python_job(model, code) -%}
      {%- set rows = none -%}
    {%- else -%}
      {%- do exceptions.raise_compiler_error("statement: no such language: " ~ language) -%}
    {%- endif -%}

    {%- if name is not none -%}
      {%- do store_result(name, response=response, agate_table=rows) -%}
    {%- endif -%}
  {%- endif -%}
{%- endmacro -%}


{# Files a result under `name` as if its body had run, for work that was done by other means (seeds, say). #}
{% macro noop_statement(name=None, message=None, code=None, rows_affected=None, res=None) -%}
  {%- set text = caller() -%}
  {%- if name == 'main' -%}
    {%- do log('Filing the sql of ' ~ model['unique_id']) -%}
    {%- do write(text) -%}
  {%- endif -%}
  {%- if name is not none -%}
    {%- do store_raw_result(name, message=message, code=code, rows_affected=rows_affected, agate_table=res) -%}
  {%- endif -%}
{%- endmacro %}


{# Runs one query outside any transaction of its own and gives back its table. #}
{% macro run_query(sql) %}
  {%- call statement('run_query_statement', fetch_result=true, auto_begin=false) -%}
    {{ sql }}
  {%- endcall -%}
  {%- do return(load_result('run_query_statement').table) -%}
{% endmacro %}
