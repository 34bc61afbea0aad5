select 1 as id, 2.50::decimal(4, 2) as price
