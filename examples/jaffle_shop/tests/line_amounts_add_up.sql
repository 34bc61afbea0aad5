-- What kinds of items bring in is what the order comes to.
select
    order_id,
    amount,
    jaffle_amount + drink_amount + side_amount as sum_of_kinds
from {{ ref('orders') }}
where amount != jaffle_amount + drink_amount + side_amount
