-- Which generations some plans have made.
select plan as "plan!", generation as "generation!" from serving_generation where plan = any ($1)
