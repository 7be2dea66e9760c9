"""The Streamlit interface: it speaks HTTP to the API and imports only the models that travel."""
