CREATE FUNCTION move_stock() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE inventory SET on_hand = on_hand + NEW.pieces, updated_at = NEW.moved_at WHERE product_id = NEW.product_id;
    RETURN NULL;
END
$$;

CREATE TRIGGER stock_moved AFTER INSERT ON stock_moves FOR EACH ROW EXECUTE FUNCTION move_stock();
