{# As the macro of that name in `dbt`, without the commit before hooks outside the transaction: none is open yet. #}
{% macro run_hooks(hooks, inside_transaction=True) %}
  {%- for hook in hooks if hook.transaction == inside_transaction -%}
    {%- set hook_sql = render(hook.get('sql')) | trim -%}
    {%- if hook_sql -%}
      {%- call statement(auto_begin=inside_transaction) -%} {{ hook_sql }} {%- endcall -%}
    {%- endif -%}
  {%- endfor -%}
{% endmacro %}
