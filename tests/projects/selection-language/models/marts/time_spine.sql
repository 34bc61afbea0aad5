select day::date as day from (values ('2020-01-01')) as days (day)
