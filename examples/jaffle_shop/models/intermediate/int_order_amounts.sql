select
    order_id,
    count(*) as lines,
    sum(quantity) as pieces,
    sum(amount) as amount,
    {%- for kind in ['jaffle', 'drink', 'side'] %}
    coalesce(sum(amount) filter (where item_kind = '{{ kind }}'), 0) as {{ kind }}_amount{{ ',' if not loop.last }}
    {%- endfor %}
from {{ ref('int_order_line_amounts') }}
group by order_id
