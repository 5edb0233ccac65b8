// Drives node-quickbooks against the stand-in and prints what it saw as one JSON object.
"use strict";

const [base, realm, accessToken, refreshToken] = process.argv.slice(2);
const QuickBooks = require("node-quickbooks");
QuickBooks.V3_ENDPOINT_BASE_URL = base + "/v3/company/";
QuickBooks.TOKEN_URL = base + "/oauth2/v1/tokens/bearer";
const qbo = new QuickBooks(
  "sandbox-client", "sandbox-secret", accessToken, false, realm, true, false, 75, "2.0", refreshToken
);

const call = (name, ...values) =>
  new Promise((resolve, reject) =>
    qbo[name](...values, (error, answer) => (error ? reject(error) : resolve(answer)))
  );
const invoice = (number, more) => ({
  DocNumber: number,
  CustomerRef: { value: "1" },
  Line: [
    {
      Amount: 300,
      DetailType: "SalesItemLineDetail",
      SalesItemLineDetail: { ItemRef: { value: "1" }, Qty: 2, UnitPrice: 150 },
    },
  ],
  ...more,
});

async function main() {
  const seen = {};
  const found = await call("findCustomers", [
    { field: "DisplayName", value: "O'Neil" },
    { field: "limit", value: 5 },
  ]);
  seen.found = found.QueryResponse.Customer.map((one) => one.DisplayName);
  seen.counted = (await call("findCustomers", { count: true })).QueryResponse.totalCount;
  const first = await call("createInvoice", invoice("N-1", { requestId: "r-1" }));
  const again = await call("createInvoice", invoice("N-1", { requestId: "r-1" }));
  seen.replayed = first.Id === again.Id;
  seen.duplicate = await call("createInvoice", invoice("N-1")).catch(
    (error) => (error.Fault || error.response.data.Fault).Error[0].code
  );
  const second = await call("createInvoice", invoice("N-1", { allowDuplicateDocNum: true }));
  seen.second = second.Id !== first.Id;
  const changed = await call("updateInvoice", {
    Id: first.Id, SyncToken: first.SyncToken, sparse: true, PrivateNote: "changed",
  });
  seen.token = changed.SyncToken;
  seen.pdf = (await call("getInvoicePdf", first.Id)).toString("latin1").slice(0, 5);
  const batch = await call("batch", [
    { bId: "1", operation: "create", Customer: { DisplayName: "From node" } },
    { bId: "2", operation: "create", Customer: { DisplayName: "Acme" } },
    { bId: "3", Query: "select * from Customer where Id = '1'" },
  ]);
  seen.batch = batch.BatchItemResponse.map((item) =>
    item.Fault ? item.Fault.Error[0].code : Object.keys(item).filter((k) => k !== "bId")[0]
  );
  const voided = await call("voidInvoice", { Id: first.Id, SyncToken: changed.SyncToken });
  seen.voided = voided.Invoice ? voided.Invoice.TotalAmt : voided.TotalAmt;
  await call("deleteInvoice", { Id: second.Id, SyncToken: second.SyncToken });
  const since = new Date(Date.now() - 3600 * 1000);
  const capture = await call("changeDataCapture", ["Customer", "Invoice"], since);
  seen.captured = capture.CDCResponse[0].QueryResponse.map((block) =>
    Object.values(block)[0].map((row) => row.status || "live")
  );
  seen.rate = (await call("getExchangeRate", { sourcecurrencycode: "EUR" })).ExchangeRate.Rate;
  seen.country = (await call("getCompanyInfo", realm)).Country;
  const tokens = await new Promise((resolve, reject) =>
    qbo.refreshAccessToken((error, answer) => (error ? reject(error) : resolve(answer)))
  );
  seen.refreshed = tokens.token_type;
  console.log(JSON.stringify(seen));
}

main().catch((error) => {
  console.error(error && error.response ? error.response.data : error);
  process.exit(1);
});
