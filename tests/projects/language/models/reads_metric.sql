-- {{ metric('visitors') }}
select 1 as id
