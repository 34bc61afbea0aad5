select 1 as id, 1 as customer_id, 10.0 as amount, true as is_food, 'x' as status, date '2020-01-01' as ordered_at
