select 1 as id, 'a' as nm, date '2020-01-01' as since
