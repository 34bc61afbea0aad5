{# Day by day: Bo moves, Cy goes, Di comes with a column more, Cy comes back. #}
{% set day = var('day') %}
select * from (
  select 1 as id, 'Al' as name, 'Ulm' as town, timestamp '2024-01-01' as changed {{ ", 30 as age" if day >= 3 }}
  union all
  select 2, 'Bo', {{ "'Ulm'" if day < 2 else "'Köln'" }}, timestamp '2024-01-0{{ 1 if day < 2 else 2 }}' {{ ", 40" if day >= 3 }}
  {% if day != 3 %}
  union all
  select 3, 'Cy', 'Bonn', timestamp '2024-01-01' {{ ", 50" if day >= 3 }}
  {% endif %}
  {% if day >= 3 %}
  union all
  select 4, 'Di', 'Bern', timestamp '2024-01-03', 60
  {% endif %}
)
