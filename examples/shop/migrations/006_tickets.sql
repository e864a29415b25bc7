-- What list_tickets may ask of a ticket stands in the index that puts them in order, so that the table is read only for what is shown.

DROP INDEX tickets_by_moment;
CREATE INDEX tickets_by_moment ON tickets (created_at DESC, id, customer_id, status, priority);
