from flask import Flask

app = Flask(__name__)


@app.get("/billing/pay")
def pay():
    return {"ok": True}
