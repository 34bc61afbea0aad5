{#
  Hooks outside the transaction run on a connection that may hold one open, so it is ended before the first.
  A hook that renders to nothing is not sent.
#}
{% macro run_hooks(hooks, inside_transaction=True) %}
  {%- for hook in hooks if hook.transaction == inside_transaction -%}
    {%- if loop.first and not inside_transaction -%}
      {%- call statement(auto_begin=False) -%} commit; {%- endcall -%}
    {%- endif -%}
    {%- set hook_sql = render(hook.get('sql')) | trim -%}
    {%- if hook_sql -%}
      {%- call statement(auto_begin=inside_transaction) -%} {{ hook_sql }} {%- endcall -%}
    {%- endif -%}
  {%- endfor -%}
{% endmacro %}


{# A hook as the parser reads it back: JSON that says whether it belongs to the transaction. #}
{% macro make_hook_config(sql, inside_transaction) %}
  {{ tojson({'sql': sql, 'transaction': inside_transaction}) }}
{% endmacro %}

{% macro before_begin(sql) %}
  {{ make_hook_config(sql, inside_transaction=False) }}
{% endmacro %}

{% macro in_transaction(sql) %}
  {{ make_hook_config(sql, inside_transaction=True) }}
{% endmacro %}

{% macro after_commit(sql) %}
  {{ make_hook_config(sql, inside_transaction=False) }}
{% endmacro %}
