{% macro shown() %}
  {% set row = run_query("select 2.50 as a, 3::double as b, 1e20::double as c, 0.0000001::decimal(12, 10) as d, sum(1) as e, 1701411834604692317316873037158841057::hugeint as f").rows[0] %}
  {% for value in row.values() %}
    {% do print([value] ~ ' ' ~ value ~ ' ' ~ (value is number) ~ (value is float) ~ (value is integer) ~ ' ' ~ -value ~ ' ' ~ (value | float) ~ ' ' ~ (value | int) ~ ' ' ~ (value | round(1))) %}
  {% endfor %}
  {% set a = row['a'] %}
  {% do print([a + 1, 1 - a, a * 2, a / 3, a // 2, a % 2, a ** 2]) %}
  {% do print([a == 2.5, a > 2, 2 < a, a in [1, 2.5], {a: 1}[2.5], [4, a, 1] | sort, [a, a] | sum, [a, 1] | max]) %}
  {% do print('%s %d %.1f %08.3f' | format(a, a, a, a) ~ ' {} {:.1f} {:,}'.format(a, a, a * 1000)) %}
  {% do print(toyaml({'a': a}, 'no YAML')) %}
{% endmacro %}

{% macro times_float() %}
  {{ run_query("select 2.50").rows[0][0] * 1.5 }}
{% endmacro %}

{% macro as_json() %}
  {{ tojson(run_query("select 2.50").rows[0][0]) }}
{% endmacro %}
