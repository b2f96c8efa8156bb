Deno.serve(async (request) => {
  const form = await request.formData();
  const file = form.get("file") as File;
  return Response.json({
    file: { name: file.name, type: file.type, text: await file.text() },
    count: form.get("count"),
    nested: JSON.parse(String(form.get("nested"))),
  });
});
